/// The implementations under test, with what the suite must be able to do behind their backs.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "connectors/changelog/changelog.h"
#include "connectors/changelog/memory/changelog.h"
#include "connectors/changelog/rabbitmq/changelog.h"

namespace tributary::conformance {

/// A name no other test and no other run has used.
OriginName fresh_origin();

class MemorySubject {
 public:
  static std::optional<MemorySubject> find() { return MemorySubject(); }
  std::unique_ptr<Changelog> changelog() { return broker_.session("test"); }
  void delete_log(const OriginName& origin) { broker_.delete_log(origin); }
  void misshape(const OriginName& origin) { broker_.misshape(origin); }

 private:
  memory::MemoryBroker broker_;
};

class RabbitmqSubject {
 public:
  /// nullopt, with a message, when TRIBUTARY_TEST_AMQP_URL is not set; in CI that is a failure.
  static std::optional<RabbitmqSubject> find();
  ~RabbitmqSubject();
  RabbitmqSubject(RabbitmqSubject&&) = default;

  std::unique_ptr<Changelog> changelog();
  void delete_log(const OriginName& origin);
  void misshape(const OriginName& origin);
  rabbitmq::Endpoint endpoint;

 private:
  RabbitmqSubject() = default;
};

/// Unwraps, failing the test with the error's message.
template <typename T>
T must(Result<T> result) {
  if (!result) FAIL(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Publishes tags first_tag… and waits until all are confirmed.
void publish_all(ChangelogWriter& writer, const std::vector<std::string>& messages,
                 std::uint64_t first_tag = 1);
/// confirmed() until it fails; the error. Fails the test after ten seconds.
Error confirm_error(ChangelogWriter& writer);
/// Waits for the next message, for at most ten seconds.
ChangelogMessage read_one(ChangelogReader& reader);
std::vector<std::string> read_some(ChangelogReader& reader, std::size_t count);
/// Nothing comes for a while.
bool silent(ChangelogReader& reader);
/// "m1", "m2", …
std::vector<std::string> numbered(std::size_t count, std::size_t first = 1);

}  // namespace tributary::conformance

/// Declares `subject`, or leaves the test when its server is not there.
#define TRIBUTARY_SUBJECT(Subject, subject) \
  auto subject##_found = Subject::find();   \
  if (!subject##_found) return;             \
  auto& subject = *subject##_found

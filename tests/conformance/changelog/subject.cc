#include "tests/conformance/changelog/subject.h"

#include <atomic>
#include <cstdlib>
#include <random>

#include "connectors/changelog/rabbitmq/testing/broker_deeds.h"

namespace tributary::conformance {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{10};

/// Logs made on a real broker, to be deleted at the end of the test.
std::vector<OriginName>& made() {
  static std::vector<OriginName> origins;
  return origins;
}

}  // namespace

OriginName fresh_origin() {
  static const std::string run = std::to_string(std::random_device{}());
  static std::atomic<int> count{0};
  made().push_back({"test-" + run + "-" + std::to_string(++count)});
  return made().back();
}

std::optional<RabbitmqSubject> RabbitmqSubject::find() {
  const char* url = std::getenv("TRIBUTARY_TEST_AMQP_URL");
  if (url == nullptr) {
    if (std::getenv("CI") != nullptr) FAIL("TRIBUTARY_TEST_AMQP_URL is not set");
    MESSAGE("skipped: set TRIBUTARY_TEST_AMQP_URL=amqp://guest:guest@127.0.0.1:port");
    return std::nullopt;
  }
  RabbitmqSubject subject;
  subject.endpoint.url = url;
  return subject;
}

RabbitmqSubject::~RabbitmqSubject() {
  if (endpoint.url.empty()) return;  // moved from
  for (const OriginName& origin : made()) {
    auto ignored = rabbitmq::testing::delete_queue(endpoint, rabbitmq::stream_name(origin));
    static_cast<void>(ignored);  // tidying up: the log may be gone already
  }
  made().clear();
}

std::unique_ptr<Changelog> RabbitmqSubject::changelog() {
  return must(rabbitmq::make_changelog(endpoint));
}

void RabbitmqSubject::delete_log(const OriginName& origin) {
  must(rabbitmq::testing::delete_queue(endpoint, rabbitmq::stream_name(origin)));
}

void RabbitmqSubject::misshape(const OriginName& origin) {
  must(rabbitmq::testing::declare_classic_queue(endpoint, rabbitmq::stream_name(origin)));
}

void publish_all(ChangelogWriter& writer, const std::vector<std::string>& messages,
                 std::uint64_t first_tag) {
  std::uint64_t tag = first_tag;
  for (const std::string& message : messages) must(writer.publish(tag++, message));
  const auto until = Clock::now() + kPatience;
  while (must(writer.confirmed(Millis{100})) + 1 < tag) REQUIRE(Clock::now() < until);
}

Error confirm_error(ChangelogWriter& writer) {
  const auto until = Clock::now() + kPatience;
  while (Clock::now() < until) {
    if (auto confirmed = writer.confirmed(Millis{100}); !confirmed) return confirmed.error();
  }
  FAIL("confirmed() did not fail");
  return {};
}

ChangelogMessage read_one(ChangelogReader& reader) {
  const auto until = Clock::now() + kPatience;
  while (Clock::now() < until) {
    if (auto message = must(reader.next(Millis{100}))) return std::move(*message);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL("no message came");
  return {};
}

std::vector<std::string> read_some(ChangelogReader& reader, std::size_t count) {
  std::vector<std::string> messages;
  while (messages.size() < count) messages.push_back(read_one(reader).bytes);
  return messages;
}

bool silent(ChangelogReader& reader) { return !must(reader.next(Millis{300})); }

std::vector<std::string> numbered(std::size_t count, std::size_t first) {
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < count; ++i) messages.push_back("m" + std::to_string(first + i));
  return messages;
}

}  // namespace tributary::conformance

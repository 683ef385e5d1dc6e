/// The stores under test: each test case runs on every one of them.
#pragma once

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <doctest/doctest.h>

#include "connectors/replica/memory/replica_store.h"
#include "connectors/replica/redis/connection.h"
#include "connectors/replica/redis/endpoint.h"
#include "connectors/replica/replica_store.h"

namespace tributary::replica_tests {

/// An empty replica, and another program that can meddle with it.
class MemorySubject {
 public:
  [[nodiscard]] bool available() const { return true; }
  [[nodiscard]] std::unique_ptr<ReplicaStore> open();
  void tamper(std::string_view key, crdt::ViewKind kind, std::string_view member);
  void drop_view(std::string_view key) { replica_.drop_view(key); }
  void damage(std::string_view key, MemoryReplica::Damage how) { replica_.damage(key, how); }
  void flush() { replica_.flush(); }
  /// Of load(); what a store asks its server for.
  [[nodiscard]] std::uint64_t fields_loaded() { return replica_.fields_loaded(); }
  [[nodiscard]] MemoryReplica& replica() { return replica_; }

 private:
  MemoryReplica replica_;
};

/// On the server at TRIBUTARY_TEST_REDIS_URL; its database is flushed.
class RedisSubject {
 public:
  RedisSubject();
  [[nodiscard]] bool available() const { return endpoint_.has_value(); }
  [[nodiscard]] std::unique_ptr<ReplicaStore> open();
  void tamper(std::string_view key, crdt::ViewKind kind, std::string_view member);
  void drop_view(std::string_view key);
  void damage(std::string_view key, MemoryReplica::Damage how);
  void flush();
  [[nodiscard]] std::uint64_t fields_loaded();

  [[nodiscard]] const redis::Endpoint& endpoint() const { return *endpoint_; }
  /// A connection of the other program's own.
  [[nodiscard]] redis::Connection& other() { return *other_; }
  /// The number at `name` in INFO.
  [[nodiscard]] std::uint64_t info(std::string_view name);
  /// Closes every connection but other().
  void kill_connections();

 private:
  std::optional<redis::Endpoint> endpoint_;
  std::unique_ptr<redis::Connection> other_;
};

/// All there is to see of a key, to compare before and after.
[[nodiscard]] std::string picture(ReplicaStore& store, std::string_view key);
[[nodiscard]] std::string version_of(ReplicaStore& store, std::string_view key);
/// Its names only, or (name, value) as "name=value".
[[nodiscard]] std::string values_of(ReplicaStore& store, std::string_view key);

}  // namespace tributary::replica_tests

TYPE_TO_STRING(tributary::replica_tests::MemorySubject);
TYPE_TO_STRING(tributary::replica_tests::RedisSubject);

/// A test on each store. The body has `subject` and `store`.
#define REPLICA_TEST(name)                                                     \
  TEST_CASE_TEMPLATE(name, Subject, ::tributary::replica_tests::MemorySubject, \
                     ::tributary::replica_tests::RedisSubject)

/// Ends the test case, visibly, when there is no server for the subject.
#define REQUIRE_SUBJECT(subject)                                                             \
  do {                                                                                       \
    if (!(subject).available()) {                                                            \
      REQUIRE_MESSAGE(std::getenv("CI") == nullptr, "TRIBUTARY_TEST_REDIS_URL must be set"); \
      MESSAGE("skipped: TRIBUTARY_TEST_REDIS_URL names no Redis");                           \
      return;                                                                                \
    }                                                                                        \
  } while (false)

/// The value of a Result that must be one.
template <typename T>
T need(tributary::Result<T> result) {
  if constexpr (std::is_void_v<T>) {
    REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
  } else {
    REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
    return std::move(*result);
  }
}

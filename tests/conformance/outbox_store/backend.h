/// The databases that the suite runs on. Every test gets a new, empty outbox.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <tributary/crdt/schema.h>

#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/producer_session.h"

namespace tributary::outbox_suite {

/// counter:* counters, reg:* registers, set:* sets, everything else nothing.
[[nodiscard]] Schema schema();
[[nodiscard]] OriginName origin();

/// One outbox database.
class Backend {
 public:
  virtual ~Backend() = default;
  /// Fails the test when it cannot.
  virtual std::unique_ptr<OutboxStore> open_store() = 0;
  virtual std::unique_ptr<ProducerSession> open_session() = 0;
  /// With the rights of whoever applies.
  virtual std::unique_ptr<OutboxStore> open_owner() { return open_store(); }
  /// Two transactions may write at the same time.
  [[nodiscard]] virtual bool concurrent_writers() const = 0;
  virtual void apply(const Schema& schema) = 0;
  /// Remembers what the database holds.
  virtual void save() = 0;
  /// Puts all of it back, as a restore by SQL does: under the connections that are open.
  virtual void put_back() = 0;
};

struct Memory {
  static std::unique_ptr<Backend> create();
};
struct Sqlite {
  static std::unique_ptr<Backend> create();
};
/// Needs TRIBUTARY_TEST_PG_URL: fails without it when CI is set, else says so and gives nullptr.
struct Postgres {
  static std::unique_ptr<Backend> create();
};

/// Where plain SQL goes in the tests of functions and triggers.
[[nodiscard]] std::string sqlite_path(const Backend& backend);
[[nodiscard]] std::string postgres_url(const Backend& backend);

/// The value, or the test fails with the error's message.
template <typename T>
T must(Result<T> result) {
  if (!result) FAIL("unexpected error: " << result.error().message);
  return std::move(*result);
}
inline void must(const Result<void>& result) {
  if (!result) FAIL("unexpected error: " << result.error().message);
}

/// Writes and commits one transaction.
void write(ProducerSession& session, std::vector<Change> changes);
/// The record once the lease is free: a server may notice the end of a connection a little later.
OriginRecord lead_soon(OutboxStore& store);
/// An actor has been minted, the store leads.
OriginRecord lead(OutboxStore& store, ActorId actor = ActorId{7});
/// The batch of `count` changes after `after`, whose bytes say "batch" and its last seq.
[[nodiscard]] SealedBatch batch(Seq after, std::size_t count, ActorId actor = ActorId{7});
/// Nothing parked, left or stored; empty views, set what is needed.
[[nodiscard]] SealCommit sealing(std::span<const SealedBatch> batches, Hlc hlc);
/// Commits the open seal as a batch of `count` changes after `after`.
[[nodiscard]] Result<void> commit_batch(OutboxStore& store, Seq after, std::size_t count,
                                        ActorId actor = ActorId{7});
/// The first page of all.
[[nodiscard]] std::vector<SealedBatch> unconfirmed(OutboxStore& store);
/// Takes everything there is and seals it; the keys in order.
std::vector<std::string> seal_all(OutboxStore& store, Seq after);

/// For TEST_CASE_TEMPLATE: makes `backend`, or leaves the test.
#define OUTBOX_SUITE_BACKEND(Kind)     \
  const auto backend = Kind::create(); \
  if (backend == nullptr) return

/// Whether an error has these words.
inline bool says(const std::string& message, const std::string& words) {
  return message.find(words) != std::string::npos;
}

}  // namespace tributary::outbox_suite

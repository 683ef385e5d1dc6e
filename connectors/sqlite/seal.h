/// Sealing on SQLite. Rows are read without a lock; the write lock is held only while the sealed
/// batch is stored and the rows are deleted, so that services hardly wait.
///
/// Why that is safe: only the leader deletes rows, which the fence in commit() checks, and later
/// rows get larger ids.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tributary/connectors/outbox_store.h>
#include <tributary/connectors/sqlite/statement.h>

namespace tributary::sqlite {

/// Borrows the connection. Not thread-safe.
class Seal {
 public:
  explicit Seal(sqlite3* connection) : connection_(connection) {}

  Result<std::span<const OutboxRow>> begin(std::uint64_t epoch, SealLimit limit);
  Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys);
  Result<void> commit(const SealCommit& seal, std::uint64_t epoch, ActorId actor, Micros now);
  void abort();

 private:
  Result<void> read_rows(SealLimit limit);
  [[nodiscard]] std::string_view keep(std::string_view bytes);
  Result<void> write(const SealCommit& seal, std::uint64_t epoch, ActorId actor, Micros now);
  Result<void> advance(const SealCommit& seal, std::uint64_t epoch);
  Result<void> store_totals(std::span<const StoredTotals> totals, ActorId actor);
  Result<void> park(std::span<const ParkedRow> parked, Micros now);
  Result<void> delete_rows();

  sqlite3* connection_;
  std::vector<OutboxRow> rows_;
  std::vector<std::unique_ptr<char[]>> blocks_;  ///< what rows_ points into
  char* free_ = nullptr;
  std::size_t free_bytes_ = 0;
};

}  // namespace tributary::sqlite

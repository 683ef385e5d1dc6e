/// Sealing on SQLite. Rows are read without a lock; the write lock is held only while the sealed
/// batches are stored and the rows are deleted, so that services hardly wait.
///
/// Why that is safe: only the leader deletes rows, which the fence in commit() checks, and later
/// rows get larger ids.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/sqlite/fence.h"
#include "connectors/outbox/sqlite/quiet.h"
#include "connectors/outbox/sqlite/tellings.h"

namespace tributary::sqlite {

/// Borrows its collaborators. Not thread-safe.
class Seal {
 public:
  Seal(Fence& fence, QuietMoment& quiet, Tellings& told)
      : fence_(fence), quiet_(quiet), told_(told) {}

  Result<std::span<const OutboxRow>> begin(SealLimit limit);
  Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys);
  Result<void> commit(const SealCommit& seal);
  void abort();

 private:
  [[nodiscard]] bool due(std::size_t count, SealLimit limit) const;
  Result<std::size_t> waiting(std::size_t limit) const;
  Result<void> read_rows(SealLimit limit);
  [[nodiscard]] std::string_view keep(std::string_view bytes);
  /// Reads it the first time that it is asked for, and adds its size; nullopt: there is none.
  Result<std::optional<std::string_view>> told(std::int64_t context_id, std::size_t& bytes);
  /// The row's own, or the one it names; adds to `bytes` what it takes.
  Result<void> read_context(const Statement& row, OutboxRow& read, std::size_t& bytes);
  Result<void> write(const SealCommit& seal);
  Result<void> write_briefly(const SealCommit& seal);
  Result<void> advance(const SealCommit& seal);
  Result<void> delete_rows(std::span<const std::int64_t> left);

  Fence& fence_;
  QuietMoment& quiet_;
  Tellings& told_;
  Micros committed_{0};  ///< when the last seal was
  Micros patience_{0};   ///< until when this seal may wait for a quiet moment
  std::vector<OutboxRow> rows_;
  std::unordered_map<std::int64_t, std::optional<std::string_view>> contexts_;  ///< that rows_ name
  std::vector<std::unique_ptr<char[]>> blocks_;  ///< what rows_ points into
  char* free_ = nullptr;
  std::size_t free_bytes_ = 0;
};

}  // namespace tributary::sqlite

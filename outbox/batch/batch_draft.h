/// One batch while its rows come in: the changes of each key, in order. Not for: which rows
/// (seal_order.h).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <tributary/crdt/type.h>

#include "outbox/batch/batch.h"
#include "outbox/batch/draft_size.h"
#include "outbox/batch/sealing.h"

namespace tributary {

/// Names whom the batch's actor followed: see Batch::predecessor. `history`: see
/// Batch::former_history.
void name_former(Batch& batch, std::span<const FormerActor> former, HistoryDigest history);

/// Not thread-safe. Borrows rows, contexts and former actors.
class BatchDraft {
 public:
  /// `head`: before its first change. `fits`: all that will come is known to; then nothing is
  /// counted, and only add() and encode() may follow.
  BatchDraft(const OriginHead& head, std::span<const FormerActor> former, bool fits = false);

  /// `key`: a number for row.key, from 0, small (it takes memory). `context_bytes`: of
  /// change.context, encoded.
  void add(const OutboxRow& row, std::size_t key, const crdt::Type& type,
           const crdt::SealedChange& change, std::size_t context_bytes);

  /// What that would add to bytes().
  [[nodiscard]] std::size_t more(const OutboxRow& row, std::size_t key,
                                 const VersionVector* context, std::size_t context_bytes);

  [[nodiscard]] bool empty() const { return groups_.empty(); }
  [[nodiscard]] std::size_t changes() const { return changes_; }
  /// At least what encode() gives.
  [[nodiscard]] std::size_t bytes() { return size_.bytes(); }
  /// See DraftSize.
  [[nodiscard]] bool within(std::size_t limit, std::size_t most = 0) {
    return size_.within(limit, most);
  }
  [[nodiscard]] std::size_t debt(const OutboxRow& row, const VersionVector* context,
                                 std::size_t context_bytes) {
    return size_.debt(row, context, context_bytes);
  }
  /// Exactly what encode() gives, which takes as long. bytes() is near it afterwards.
  std::size_t measure(const OriginHead& head);

  /// `head`: after its last change.
  [[nodiscard]] SealedBatch encode(const OriginHead& head) const;

 private:
  struct Group {
    std::string_view key;
    const crdt::Type* type = nullptr;
    std::size_t counted = 0;  ///< at which measurement, see measured_
    std::vector<crdt::SealedChange> changes;
  };

  void note_consumed(const OutboxRow& row);
  /// In groups_; groups_.size() when the key has none yet.
  [[nodiscard]] std::size_t group_of(std::size_t key) const;

  Seq first_;
  std::size_t changes_ = 0;
  bool fits_;
  std::span<const FormerActor> former_;
  DraftSize size_;
  std::size_t measured_ = 1;  ///< how often, and 1
  std::vector<Group> groups_;
  std::vector<std::uint32_t> groups_of_keys_;  ///< by number of the key, from 1; 0: none
  std::vector<ConsumedRows> consumed_;
};

}  // namespace tributary

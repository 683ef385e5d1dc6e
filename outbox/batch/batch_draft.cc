#include "outbox/batch/batch_draft.h"

#include <algorithm>
#include <utility>

#include <tributary/crdt/context_table.h>

namespace tributary {
namespace {

/// Fixed fields, the interned names of types, and the actors before.
std::size_t head_bytes(const OriginHead& head, std::size_t former) {
  constexpr std::size_t kFixed = 1024;
  constexpr std::size_t kFormer = 24;
  return kFixed + head.origin.value.size() + kFormer * std::min(former, kMostFormer);
}

}  // namespace

/// However many follow the last one that published anything, it is named: without it a replica
/// would not know that it lacks changes. So are some before it: a replica that is several actors
/// behind, and whose changelog was lost, would take whoever names none it knows for an intruder.
void name_former(Batch& batch, std::span<const FormerActor> former, HistoryDigest history) {
  if (former.empty()) return;
  batch.predecessor = former.back();
  batch.former_history = history;
  std::size_t last = former.size() - 1;
  while (last > 0 && former[last].final_seq == Seq{}) --last;
  for (std::size_t at = former.size() - 1; at > last; --at) {
    const bool room = batch.earlier.size() + 3 < kMostFormer;
    batch.earlier.push_back(former[room ? at - 1 : last]);
    if (!room) break;
  }
  constexpr std::size_t kBeyond = 8;
  const std::size_t most = std::min(kMostFormer - 1, batch.earlier.size() + kBeyond);
  while (last > 0 && batch.earlier.size() < most) batch.earlier.push_back(former[--last]);
}

BatchDraft::BatchDraft(const OriginHead& head, std::span<const FormerActor> former, bool fits)
    : first_(head.seq.next()),
      fits_(fits),
      former_(former),
      size_(head_bytes(head, former.size())) {}

std::size_t BatchDraft::group_of(std::size_t key) const {
  const bool known = key < groups_of_keys_.size() && groups_of_keys_[key] > 0;
  return known ? groups_of_keys_[key] - 1 : groups_.size();
}

void BatchDraft::add(const OutboxRow& row, std::size_t key, const crdt::Type& type,
                     const crdt::SealedChange& change, std::size_t context_bytes) {
  note_consumed(row);
  ++changes_;
  const std::size_t at = group_of(key);
  if (at == groups_.size()) {
    groups_.push_back({row.key, &type, 0, {}});
    if (key >= groups_of_keys_.size()) groups_of_keys_.resize(key + 1);
    groups_of_keys_[key] = static_cast<std::uint32_t>(groups_.size());
  }
  Group& group = groups_[at];
  group.changes.push_back(change);
  if (fits_) return;
  const bool counted = std::exchange(group.counted, measured_) == measured_;
  size_.add(row, !counted, change.context, context_bytes);
}

std::size_t BatchDraft::more(const OutboxRow& row, std::size_t key, const VersionVector* context,
                             std::size_t context_bytes) {
  const std::size_t at = group_of(key);
  const bool counted = at < groups_.size() && groups_[at].counted == measured_;
  return size_.more(row, !counted, context, context_bytes);
}

std::size_t BatchDraft::measure(const OriginHead& head) {
  const std::size_t bytes = encode(head).bytes.size();
  size_.measured(bytes);
  ++measured_;
  return bytes;
}

SealedBatch BatchDraft::encode(const OriginHead& head) const {
  crdt::ContextTable contexts;
  Batch batch{.actor = head.actor,
              .origin = head.origin,
              .first_seq = first_,
              .last_seq = head.seq,
              .hlc = head.hlc,
              .before = head.history,
              .rows = consumed_};
  name_former(batch, former_, head.former_history);
  batch.deltas.reserve(groups_.size());
  for (const Group& group : groups_) {
    batch.deltas.push_back({std::string(group.key), *group.type, group.changes.back().seq,
                            group.type->seal(head.actor, group.changes, contexts)});
  }
  batch.contexts = contexts.contexts();
  return {batch.actor, batch.first_seq, batch.last_seq, tributary::encode(batch)};
}

void BatchDraft::note_consumed(const OutboxRow& row) {
  const std::int64_t id = row.first_id();
  if (!consumed_.empty()) {
    ConsumedRows& last = consumed_.back();
    const bool follows = last.transaction == row.transaction && last.last_id + 1 == id;
    if (follows && last.tag == row.tag) {
      last.last_id = id;
      return;
    }
  }
  consumed_.push_back({row.transaction, id, id, row.tag});
}

}  // namespace tributary

#include "outbox/batch/draft_size.h"

namespace tributary {
namespace {

// A tag, a length of four bytes at most, and numbers of ten, as batch.proto and the types write
// them.
constexpr std::size_t kTagBytes = 8;                           ///< of a row
constexpr std::size_t kRunBytes = 5 + 3 * 11 + 5 + kTagBytes;  ///< Rows
constexpr std::size_t kChangeBytes = 40;  ///< a change's own, beside its operands
constexpr std::size_t kDeltaBytes = 28;   ///< Delta, beside key and body
constexpr std::size_t kKeyBytes = kDeltaBytes + kChangeBytes + 16;  ///< … with what has no operand
constexpr std::size_t kContextBytes = 5;                            ///< beside its own
/// Growth, since it was measured, of numbers that stand there once.
constexpr std::size_t kSlackBytes = 64;

std::size_t operand_bytes(const OutboxRow& row) { return row.field.size() + row.value.size(); }

}  // namespace

std::size_t DraftSize::most_of(const OutboxRow& row, std::size_t context_bytes) {
  return kRunBytes + kKeyBytes + row.key.size() + kChangeBytes + operand_bytes(row) +
         3 * (context_bytes + kContextBytes);
}

void DraftSize::add(const OutboxRow& row, bool new_key, const VersionVector* context,
                    std::size_t context_bytes) {
  noted_.push_back({&row, context, context_bytes, new_key});
  noted_most_ += most_of(row, context_bytes);
}

bool DraftSize::within(std::size_t limit, std::size_t most) {
  if (bytes_ + owed_ + noted_most_ + most <= limit) return true;
  count_noted();
  return bytes_ + (most > 0 ? owed_ : 0) + most <= limit;
}

std::size_t DraftSize::bytes() {
  count_noted();
  return bytes_;
}

std::size_t DraftSize::more(const OutboxRow& row, bool new_key, const VersionVector* context,
                            std::size_t context_bytes) {
  count_noted();
  return count({&row, context, context_bytes, new_key});
}

std::size_t DraftSize::debt(const OutboxRow& row, const VersionVector* context,
                            std::size_t context_bytes) {
  count_noted();
  const auto observer = observers_.find({row.key, row.value});
  if (observer == observers_.end() || observer->second.last == context) return 0;
  return observer->second.uncounted + context_bytes + kContextBytes;
}

void DraftSize::count_noted() {
  for (const Noted& each : noted_) {
    bytes_ += count(each);
    note_run(*each.row);
    if (each.context != nullptr) {
      note_context(*each.row, each.context, each.context_bytes + kContextBytes);
    }
  }
  noted_.clear();
  noted_most_ = 0;
}

std::size_t DraftSize::count(const Noted& each) const {
  const OutboxRow& row = *each.row;
  std::size_t bytes = 0;
  bytes += more_rows(row);
  if (each.new_key) bytes += kKeyBytes + row.key.size();
  if (operand_bytes(row) > 0) bytes += kChangeBytes + operand_bytes(row);
  if (each.context == nullptr) return bytes;
  return bytes + more_contexts(row, each.context, each.context_bytes + kContextBytes);
}

/// Rows with one tag stand by themselves from the second on, as the batch encodes them.
std::size_t DraftSize::more_rows(const OutboxRow& row) const {
  if (last_.transaction != row.transaction || last_.last_id + 1 != row.first_id()) return kRunBytes;
  const bool single = last_.first_id == last_.last_id;
  if (last_.tag == row.tag) return single ? kRunBytes : 0;
  return single ? kTagBytes : kRunBytes;
}

void DraftSize::note_run(const OutboxRow& row) {
  const std::int64_t id = row.first_id();
  const bool grows =
      last_.transaction == row.transaction && last_.last_id + 1 == id && last_.tag == row.tag;
  if (!grows) last_ = {row.transaction, id, id, row.tag};
  last_.last_id = id;
}

/// Equal contexts are sealed once. What observes twice, with different contexts, gets one of its
/// own that joins them.
std::size_t DraftSize::more_contexts(const OutboxRow& row, const VersionVector* context,
                                     std::size_t bytes) const {
  const std::size_t shared = contexts_.contains(context) ? 0 : bytes;
  const auto observer = observers_.find({row.key, row.value});
  if (observer == observers_.end() || observer->second.last == context) return shared;
  return shared + observer->second.uncounted + bytes;
}

void DraftSize::note_context(const OutboxRow& row, const VersionVector* context,
                             std::size_t bytes) {
  contexts_.insert(context);
  const auto [entry, fresh] =
      observers_.try_emplace({row.key, row.value}, Observer{context, bytes, bytes});
  Observer& observer = entry->second;
  if (fresh) {
    owed_ += bytes;
  } else if (observer.last != context) {
    owed_ -= observer.uncounted;
    observer = {context, observer.bytes + bytes, 0};
  }
}

void DraftSize::measured(std::size_t bytes) {
  count_noted();
  bytes_ = bytes + kSlackBytes;
  contexts_.clear();
  // An element's joined context may be another one's, too: a new one has to be counted whole.
  owed_ = 0;
  for (auto& [name, observer] : observers_) {
    observer.uncounted = observer.bytes;
    owed_ += observer.bytes;
  }
}

}  // namespace tributary

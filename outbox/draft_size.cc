#include <tributary/outbox/draft_size.h>

namespace tributary {
namespace {

// A tag, a length of four bytes at most, and numbers of ten, as batch.proto and the types write
// them.
constexpr std::size_t kRunBytes = 2 + 3 * 11 + 9;  ///< Rows
constexpr std::size_t kChangeBytes = 40;           ///< a change's own, beside its operands
constexpr std::size_t kDeltaBytes = 28;            ///< Delta, beside key and body
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

std::size_t DraftSize::more(const OutboxRow& row, bool new_key, const VersionVector* context,
                            std::size_t context_bytes) const {
  std::size_t bytes = 0;
  if (last_transaction_ != row.transaction || last_id_ + 1 != row.first_id()) bytes += kRunBytes;
  if (new_key) bytes += kKeyBytes + row.key.size();
  if (operand_bytes(row) > 0) bytes += kChangeBytes + operand_bytes(row);
  if (context != nullptr) bytes += more_contexts(row, context, context_bytes + kContextBytes);
  return bytes;
}

void DraftSize::add(const OutboxRow& row, bool new_key, const VersionVector* context,
                    std::size_t context_bytes) {
  bytes_ += more(row, new_key, context, context_bytes);
  last_transaction_ = row.transaction;
  last_id_ = row.first_id();
  if (context != nullptr) note_context(row, context, context_bytes + kContextBytes);
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
  if (!fresh && observer.last != context) observer = {context, observer.bytes + bytes, 0};
}

void DraftSize::measured(std::size_t bytes) {
  bytes_ = bytes + kSlackBytes;
  contexts_.clear();
  // An element's joined context may be another one's, too: a new one has to be counted whole.
  for (auto& [name, observer] : observers_) observer.uncounted = observer.bytes;
}

}  // namespace tributary

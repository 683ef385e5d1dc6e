#include <algorithm>
#include <limits>

#include <tributary/outbox/transaction.h>

namespace tributary {

bool accumulate(crdt::Totals& totals, std::int64_t amount) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (amount == std::numeric_limits<std::int64_t>::min()) return false;
  std::int64_t& total = amount >= 0 ? totals.increments : totals.decrements;
  const std::int64_t size = amount >= 0 ? amount : -amount;
  if (total > kMax - size) return false;
  total += size;
  return true;
}

namespace {

std::size_t size_of(const Change& change) {
  return change.key.size() + change.field.size() + change.value.size() +
         (change.context ? change.context->bytes().size() : 0);
}

/// The change was checked.
bool accumulates(const Change& change) {
  return crdt::find_operation(*crdt::find_type(change.type), change.operation)->accumulates;
}

Error overflow(const std::string& key) {
  return Error{ErrorKind::kInvalid,
               "counter \"" + key +
                   "\" would overflow: one origin's increments, and its decrements, may each add " +
                   "up to 9223372036854775807 at most"};
}

}  // namespace

Result<void> Transaction::write(Change change) {
  const Schema& schema = connection_.schema();
  if (changes_.size() >= schema.limits.transaction_changes) {
    return fail(ErrorKind::kInvalid,
                "the transaction already has " + std::to_string(changes_.size()) +
                    " changes, the limit (limits.transaction_changes); split it");
  }
  TRIBUTARY_TRY(check(schema, change));
  TRIBUTARY_TRY(connection_.accepts(change));
  const std::size_t bytes = size_of(change);
  if (bytes_ + bytes > schema.limits.transaction_bytes) {
    return fail(ErrorKind::kInvalid, "the transaction's changes have more than " +
                                         std::to_string(schema.limits.transaction_bytes) +
                                         " bytes, the limit (limits.transaction_bytes); split it");
  }
  if (accumulates(change)) {
    crdt::Totals& added = added_[{change.key, change.field}];
    if (!accumulate(added, change.amount)) return fail(overflow(change.key));
  }
  bytes_ += bytes;
  changes_.push_back(std::move(change));
  return {};
}

Result<void> Transaction::check_totals() {
  if (added_.empty()) return {};
  std::vector<std::pair<std::string, std::string>> keys;
  keys.reserve(added_.size());
  for (const auto& [key, totals] : added_) keys.push_back(key);
  TRIBUTARY_ASSIGN(const auto near, connection_.near_overflow(keys));
  for (auto [key, totals] : near) {
    const crdt::Totals& added = added_[key];
    if (!accumulate(totals, added.increments) || !accumulate(totals, -added.decrements)) {
      return fail(overflow(key.first));
    }
  }
  return {};
}

Result<void> Transaction::flush() {
  if (changes_.empty()) return {};
  TRIBUTARY_TRY(check_totals());
  TRIBUTARY_TRY(connection_.insert(changes_));
  flushed_marks_ = next_mark_ - 1;
  clear();
  return {};
}

Result<void> Transaction::commit() {
  TRIBUTARY_TRY(flush());
  return connection_.commit();
}

void Transaction::clear() {
  changes_.clear();
  bytes_ = 0;
  added_.clear();
  marks_.clear();
}

Transaction::Mark Transaction::mark() {
  marks_.push_back(next_mark_);
  return {next_mark_++, changes_.size()};
}

void Transaction::drop_last() {
  const Change& change = changes_.back();
  bytes_ -= size_of(change);
  if (accumulates(change)) {
    crdt::Totals& totals = added_[{change.key, change.field}];
    if (change.amount >= 0) totals.increments -= change.amount;
    else totals.decrements += change.amount;
  }
  changes_.pop_back();
}

Result<void> Transaction::rollback_to(const Mark& mark) {
  if (mark.number_ <= flushed_marks_) {
    return fail(ErrorKind::kInvalid,
                "the mark is older than a flush, whose changes may have gone with the savepoint: "
                "ROLLBACK the whole transaction and clear()");
  }
  const auto held = std::ranges::find(marks_, mark.number_);
  if (held == marks_.end()) {
    return fail(
        ErrorKind::kInvalid,
        "the mark has ended: the transaction was cleared, or rolled back to an earlier one");
  }
  marks_.erase(held + 1, marks_.end());
  while (changes_.size() > mark.changes_) drop_last();
  return {};
}

}  // namespace tributary

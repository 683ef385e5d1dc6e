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
  const std::size_t bytes = change.key.size() + change.field.size() + change.value.size();
  if (bytes_ + bytes > schema.limits.transaction_bytes) {
    return fail(ErrorKind::kInvalid, "the transaction's changes have more than " +
                                         std::to_string(schema.limits.transaction_bytes) +
                                         " bytes, the limit (limits.transaction_bytes); split it");
  }
  const crdt::Operation* operation =
      crdt::find_operation(*crdt::find_type(change.type), change.operation);
  if (operation->accumulates) {
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
  TRIBUTARY_TRY(check_totals());
  TRIBUTARY_TRY(connection_.insert(changes_));
  changes_.clear();
  bytes_ = 0;
  added_.clear();
  return {};
}

Result<void> Transaction::commit() {
  TRIBUTARY_TRY(flush());
  return connection_.commit();
}

}  // namespace tributary

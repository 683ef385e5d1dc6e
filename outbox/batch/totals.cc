#include "outbox/batch/totals.h"

#include <algorithm>

#include <tributary/outbox/transaction.h>

namespace tributary {
namespace {

/// Whether a row adds to a total; remembers the last answer.
class Accumulates {
 public:
  bool operator()(const OutboxRow& row) {
    if (row.type == type_ && row.operation == operation_) return does_;
    const crdt::Type* type = crdt::find_type(row.type);
    const crdt::Operation* operation =
        type == nullptr ? nullptr : crdt::find_operation(*type, row.operation);
    type_ = row.type;
    operation_ = row.operation;
    does_ = operation != nullptr && operation->accumulates;
    return does_;
  }

 private:
  std::string_view type_;
  std::string_view operation_;
  bool does_ = false;
};

}  // namespace

std::string_view TotalsCache::name(std::string_view key, std::string_view field) const {
  scratch_.assign(key);
  scratch_.push_back('\0');
  scratch_.append(field);
  return scratch_;
}

TotalsCache::Entry* TotalsCache::find(std::string_view key, std::string_view field) {
  const auto at = entries_.find(name(key, field));
  return at == entries_.end() ? nullptr : &at->second;
}

TotalsCache::Entry& TotalsCache::entry(std::string_view key, std::string_view field) {
  Entry* known = find(key, field);
  return known != nullptr ? *known : entries_[std::string(name(key, field))];
}

void TotalsCache::mark(Entry& entry) {
  if (!entry.unsaved) ++unsaved_;
  entry.unsaved = true;
  entry.near_overflow = std::max(entry.totals.increments, entry.totals.decrements) >= kNearOverflow;
  any_near_overflow_ = any_near_overflow_ || entry.near_overflow;
}

std::vector<TotalsKey> TotalsCache::unknown(std::span<const OutboxRow> rows) const {
  std::vector<TotalsKey> keys;
  Accumulates accumulates;
  for (const OutboxRow& row : rows) {
    if (!accumulates(row) || entries_.contains(name(row.key, row.field))) continue;
    keys.push_back({row.key, row.field});
  }
  return distinct(std::move(keys));
}

std::vector<TotalsKey> TotalsCache::distinct(std::vector<TotalsKey> keys) {
  const auto order = [](const TotalsKey& a, const TotalsKey& b) {
    return std::pair(a.key, a.field) < std::pair(b.key, b.field);
  };
  const auto same = [](const TotalsKey& a, const TotalsKey& b) {
    return a.key == b.key && a.field == b.field;
  };
  std::sort(keys.begin(), keys.end(), order);
  keys.erase(std::unique(keys.begin(), keys.end(), same), keys.end());
  return keys;
}

void TotalsCache::learn(std::span<const TotalsKey> asked, const std::vector<StoredTotals>& stored) {
  for (const TotalsKey& key : asked) static_cast<void>(entry(key.key, key.field));
  for (const StoredTotals& each : stored) entry(each.key, each.field).totals = each.totals;
}

bool TotalsCache::add(Entry& entry, std::int64_t amount, crdt::Totals& after) {
  if (!accumulate(entry.totals, amount)) return false;
  mark(entry);
  after = entry.totals;
  return true;
}

bool TotalsCache::add(std::string_view key, std::string_view field, std::int64_t amount,
                      crdt::Totals& after) {
  return add(entry(key, field), amount, after);
}

void TotalsCache::take_back(std::string_view key, std::string_view field, std::int64_t amount) {
  Entry& known = entry(key, field);
  if (amount >= 0) known.totals.increments -= amount;
  else known.totals.decrements += amount;
}

void TotalsCache::raise(std::string_view key, std::string_view field, const crdt::Totals& totals) {
  Entry& known = entry(key, field);
  known.totals.increments = std::max(known.totals.increments, totals.increments);
  known.totals.decrements = std::max(known.totals.decrements, totals.decrements);
  mark(known);
}

std::vector<StoredTotals> TotalsCache::collect(bool only_near_overflow) const {
  std::vector<StoredTotals> out;
  if (unsaved_ == 0 || (only_near_overflow && !any_near_overflow_)) return out;
  for (const auto& [joined, each] : entries_) {
    if (!each.unsaved || (only_near_overflow && !each.near_overflow)) continue;
    const std::size_t split = joined.find('\0');
    out.push_back({joined.substr(0, split), joined.substr(split + 1), each.totals});
  }
  return out;
}

std::vector<StoredTotals> TotalsCache::unsaved() const { return collect(false); }

std::vector<StoredTotals> TotalsCache::unsaved_near_overflow() const { return collect(true); }

void TotalsCache::saved(std::size_t keep) {
  unsaved_ = 0;
  any_near_overflow_ = false;
  if (entries_.size() > keep) entries_.clear();
  for (auto& [joined, each] : entries_) each.unsaved = false;
}

void TotalsCache::clear() {
  entries_.clear();
  unsaved_ = 0;
  any_near_overflow_ = false;
}

}  // namespace tributary

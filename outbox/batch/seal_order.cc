#include "outbox/batch/seal_order.h"

#include <algorithm>
#include <unordered_map>

namespace tributary {
namespace {

/// Whether a transaction of larger number follows each: then none comes back.
bool in_turn(std::span<const OutboxRow> rows, std::span<const std::size_t> order) {
  return std::ranges::is_sorted(order, {}, [&](std::size_t row) { return rows[row].transaction; });
}

/// For each place in `order` the last one of the same transaction.
std::vector<std::size_t> last_places(std::span<const OutboxRow> rows,
                                     std::span<const std::size_t> order) {
  std::vector<std::size_t> last(order.size());
  const bool none_returns = in_turn(rows, order);
  std::unordered_map<std::int64_t, std::size_t> last_of;  // transaction -> its last place
  for (std::size_t at = order.size(); at-- > 0;) {
    const std::int64_t transaction = rows[order[at]].transaction;
    const bool again = at + 1 < order.size() && rows[order[at + 1]].transaction == transaction;
    if (again) last[at] = last[at + 1];
    else last[at] = none_returns ? at : last_of.try_emplace(transaction, at).first->second;
  }
  return last;
}

/// Sorts a run, of which `last` knows the last places, by transaction.
void take_apart(std::size_t begin, std::size_t end, std::span<const std::size_t> last,
                UnitOrder& units) {
  std::vector<std::pair<std::size_t, std::size_t>> sorted;  // (last place, row)
  for (std::size_t at = begin; at < end; ++at) sorted.emplace_back(last[at], units.rows[at]);
  std::ranges::stable_sort(sorted, {}, &std::pair<std::size_t, std::size_t>::first);
  for (std::size_t at = begin; at < end; ++at) {
    const auto& [place, row] = sorted[at - begin];
    units.rows[at] = row;
    if (at + 1 == end || sorted[at + 1 - begin].first != place) units.ends.push_back(at + 1);
  }
}

}  // namespace

UnitOrder seal_order(std::span<const OutboxRow> rows, std::vector<std::size_t> taken,
                     const std::function<bool(RowUnit)>& too_large) {
  UnitOrder units{std::move(taken), {}};
  const std::vector<std::size_t> last = last_places(rows, units.rows);
  std::size_t begin = 0;
  std::size_t open_until = 0;
  bool several = false;  // transactions in the run
  for (std::size_t at = 0; at < last.size(); ++at) {
    several = several || last[at] != last[begin];
    open_until = std::max(open_until, last[at]);
    if (open_until > at) continue;
    const RowUnit run = RowUnit(units.rows).subspan(begin, at + 1 - begin);
    if (several && too_large(run)) take_apart(begin, at + 1, last, units);
    else units.ends.push_back(at + 1);
    begin = at + 1;
    several = false;
  }
  return units;
}

}  // namespace tributary

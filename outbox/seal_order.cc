#include <algorithm>
#include <iterator>
#include <unordered_map>

#include <tributary/outbox/seal_order.h>

namespace tributary {
namespace {

using LastRows = std::unordered_map<std::int64_t, std::size_t>;  ///< transaction -> its last row

std::vector<SealUnit> take_apart(const SealUnit& run, std::span<const OutboxRow> rows,
                                 const LastRows& last_of) {
  SealUnit sorted = run;
  const auto last = [&](std::size_t row) { return last_of.at(rows[row].transaction); };
  std::ranges::stable_sort(sorted, {}, last);
  std::vector<SealUnit> units;
  for (const std::size_t row : sorted) {
    const bool first = units.empty() || last(units.back().front()) != last(row);
    if (first) units.emplace_back();
    units.back().push_back(row);
  }
  return units;
}

}  // namespace

std::vector<SealUnit> seal_order(std::span<const OutboxRow> rows,
                                 const std::function<bool(const OutboxRow&)>& taken,
                                 const std::function<bool(const SealUnit&)>& too_large) {
  std::vector<std::size_t> order;
  LastRows last_of;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!taken(rows[i])) continue;
    order.push_back(i);
    last_of[rows[i].transaction] = i;
  }
  std::vector<SealUnit> units;
  SealUnit run;
  std::size_t open_until = 0;
  for (const std::size_t i : order) {
    run.push_back(i);
    open_until = std::max(open_until, last_of[rows[i].transaction]);
    if (open_until > i) continue;
    const bool several = std::ranges::any_of(
        run, [&](std::size_t row) { return rows[row].transaction != rows[i].transaction; });
    if (several && too_large(run)) {
      std::ranges::move(take_apart(run, rows, last_of), std::back_inserter(units));
    } else {
      units.push_back(std::move(run));
    }
    run.clear();
  }
  return units;
}

}  // namespace tributary

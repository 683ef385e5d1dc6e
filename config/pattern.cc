#include "config/pattern.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace tributary::config {
namespace {

constexpr std::size_t kMostSteps = 20'000;

/// The positions in a pattern that some prefix of a key can have led to.
using Positions = std::vector<bool>;

/// Follows stars, which may stand for nothing.
void close(std::string_view pattern, Positions& at) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (at[i] && pattern[i] == '*') at[i + 1] = true;
  }
}

/// After one more byte; nullopt stands for a byte that no literal equals.
Positions step(std::string_view pattern, const Positions& at, std::optional<char> byte) {
  Positions next(at.size());
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (!at[i]) continue;
    if (pattern[i] == '*') next[i] = true;
    else if (pattern[i] == '?' || byte == pattern[i]) next[i + 1] = true;
  }
  close(pattern, next);
  return next;
}

}  // namespace

// Every wildcard of `later` is tried with bytes that no literal of `earlier` equals: only
// wildcards of `earlier` take those, and they take any other byte as well.
bool shadows(std::string_view earlier, std::string_view later) {
  Positions start(earlier.size() + 1);
  start[0] = true;
  close(earlier, start);
  std::set<std::pair<std::size_t, Positions>> seen{{0, start}};
  std::vector<std::pair<std::size_t, Positions>> open{{0, start}};
  const auto visit = [&](std::size_t i, Positions at) {
    const auto [entry, fresh] = seen.emplace(i, std::move(at));
    if (fresh) open.push_back(*entry);
  };
  while (!open.empty()) {
    const auto [i, at] = std::move(open.back());
    open.pop_back();
    if (seen.size() > kMostSteps) return false;
    if (i == later.size()) {
      if (!at.back()) return false;
    } else if (later[i] == '*') {
      visit(i + 1, at);
      visit(i, step(earlier, at, std::nullopt));
    } else {
      visit(i + 1, step(earlier, at, later[i] == '?' ? std::nullopt : std::optional(later[i])));
    }
  }
  return true;
}

// Row by row of `a`: whether some text matches both the first i bytes of `a` and the first j of
// `b`.
bool overlap(std::string_view a, std::string_view b) {
  std::vector<bool> before;
  std::vector<bool> row(b.size() + 1);
  for (std::size_t i = 0; i <= a.size(); ++i) {
    before = std::exchange(row, std::vector<bool>(b.size() + 1));
    for (std::size_t j = 0; j <= b.size(); ++j) {
      const bool star_a = i > 0 && a[i - 1] == '*';
      const bool star_b = j > 0 && b[j - 1] == '*';
      if (i == 0 && j == 0) row[j] = true;
      if (star_a) row[j] = row[j] || before[j] || (j > 0 && row[j - 1]);
      if (star_b) row[j] = row[j] || row[j - 1] || (i > 0 && before[j]);
      if (star_a || star_b || i == 0 || j == 0) continue;
      const bool equal = a[i - 1] == b[j - 1] || a[i - 1] == '?' || b[j - 1] == '?';
      row[j] = equal && before[j - 1];
    }
  }
  return row.back();
}

}  // namespace tributary::config

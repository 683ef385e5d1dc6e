#include "config/keyspace_changes.h"

#include <algorithm>
#include <string>

#include "config/pattern.h"

namespace tributary::config {
namespace {

using Keyspaces = std::vector<Keyspace>;

/// Whether one of the first `count` takes all keys of `pattern`.
bool taken(const Keyspaces& keyspaces, std::size_t count, const std::string& pattern) {
  return std::any_of(keyspaces.begin(), keyspaces.begin() + static_cast<std::ptrdiff_t>(count),
                     [&](const Keyspace& each) { return shadows(each.pattern, pattern); });
}

/// Whether a key may have the type of before[i] by the one list and that of after[k] by the other.
bool may_change(const Keyspaces& before, std::size_t i, const Keyspaces& after, std::size_t k) {
  return before[i].type != after[k].type && overlap(before[i].pattern, after[k].pattern) &&
         !taken(before, i, after[k].pattern) && !taken(after, k, before[i].pattern);
}

}  // namespace

bool may_change_types(const Keyspaces& before, const Keyspaces& ever, const Keyspaces& after) {
  const auto has = [](const Keyspaces& all, const Keyspace& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  for (std::size_t k = 0; k < after.size(); ++k) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (may_change(before, i, after, k)) return true;
    }
    if (has(before, after[k])) continue;
    for (const Keyspace& each : ever) {
      if (!has(before, each) && may_change({each}, 0, after, k)) return true;
    }
  }
  return false;
}

}  // namespace tributary::config

#include <algorithm>

#include <tributary/cli/type_changes.h>
#include <tributary/cli/wiring.h>

namespace tributary::cli {
namespace {

constexpr std::size_t kTold = 10;
constexpr std::size_t kKeysAtOnce = 500;

/// The first match wins, so keyspaces that only come after the known ones change no key's type.
bool only_adds(const std::vector<Keyspace>& before, const std::vector<Keyspace>& after) {
  return before.size() <= after.size() && std::equal(before.begin(), before.end(), after.begin());
}

std::string type_by(const std::vector<Keyspace>& keyspaces, const std::string& key) {
  for (const Keyspace& keyspace : keyspaces) {
    if (matches(keyspace.pattern, key)) return keyspace.type;
  }
  return {};
}

/// The stored keyspaces of the origins that can be asked and have others than the topology adds to.
std::vector<std::vector<Keyspace>> changed_keyspaces(const config::Topology& topology) {
  std::vector<std::vector<Keyspace>> changed;
  for (const config::Origin& origin : topology.origins) {
    if (origin.retired) continue;
    const auto store = store_of(origin)();
    const auto stored = store ? (*store)->schema() : Result<StoredSchema>(fail(store.error()));
    if (stored && !only_adds(stored->schema.keyspaces, topology.schema.keyspaces)) {
      changed.push_back(stored->schema.keyspaces);
    }
  }
  return changed;
}

void compare(const std::string& key, const std::vector<std::vector<Keyspace>>& before,
             const config::Topology& topology, TypeChanges& changes) {
  const std::string to = type_by(topology.schema.keyspaces, key);
  for (const auto& keyspaces : before) {
    const std::string from = type_by(keyspaces, key);
    if (from.empty() || to.empty() || from == to) continue;
    ++changes.keys;
    if (changes.told.size() < kTold) changes.told.push_back({key, from, to});
    return;
  }
}

}  // namespace

TypeChanges find_type_changes(const config::Topology& topology) {
  TypeChanges most;
  const auto before = changed_keyspaces(topology);
  if (before.empty()) return most;
  for (const config::Region& region : topology.regions) {
    const auto store = replica_of(region)();
    if (!store) continue;
    TypeChanges changes;
    std::string cursor;
    do {
      const auto walk = (*store)->walk(cursor, kKeysAtOnce);
      if (!walk) break;
      for (const std::string& key : walk->keys) compare(key, before, topology, changes);
      cursor = walk->cursor;
    } while (!cursor.empty());
    if (changes.keys > most.keys) most = std::move(changes);
  }
  return most;
}

}  // namespace tributary::cli

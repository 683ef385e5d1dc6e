#include "cli/type_changes.h"

#include <algorithm>

#include "cli/waiting_types.h"
#include "cli/wiring.h"
#include "config/keyspace_changes.h"
#include "consumer/commit_group.h"
#include "consumer/retry.h"

namespace tributary::cli {
namespace {

constexpr std::size_t kKeysAtOnce = 500;

/// As the databases tell. One without tables tells nothing, which matters when others, that may
/// have known more, are retired or away.
bool may_change_types(const config::Topology& topology) {
  bool fresh = false;
  bool silent = false;
  for (const config::Origin& origin : topology.origins) {
    const auto store = origin.retired ? Result<std::unique_ptr<OutboxStore>>{} : store_of(origin)();
    if (origin.retired || !store) {
      silent = true;
      continue;
    }
    const auto stored = (*store)->schema();
    if (!stored) {
      fresh = true;
      continue;
    }
    const auto ever = (*store)->keyspaces_ever();
    if (config::may_change_types(stored->schema.keyspaces, ever.value_or(std::vector<Keyspace>{}),
                                 topology.schema.keyspaces)) {
      return true;
    }
  }
  return fresh && silent;
}

/// Calls `each` for all keys that have state, with their types and blocks.
template <typename Each>
Result<void> for_each_key(ReplicaStore& store, Each each) {
  std::string cursor;
  do {
    TRIBUTARY_ASSIGN(const auto walk, store.walk(cursor, kKeysAtOnce));
    std::vector<KeyLoad> loads;
    for (const std::string& key : walk.keys) loads.push_back({key, {}});
    if (!loads.empty()) {
      TRIBUTARY_ASSIGN(const auto heads, store.load(loads));
      for (std::size_t i = 0; i < heads.size(); ++i) TRIBUTARY_TRY(each(walk.keys[i], heads[i]));
    }
    cursor = walk.cursor;
  } while (!cursor.empty());
  return {};
}

Result<void> look_through(const config::Topology& topology, const config::Region& region,
                          TypeChanges& changes) {
  TRIBUTARY_ASSIGN(const auto store, replica_of(region)());
  std::uint64_t keys = 0;
  const auto compare = [&](const std::string& key, const LoadedKey& head) -> Result<void> {
    const std::string_view to = keyspace_type(topology.schema, key);
    if (!other_type(head.type, to)) return {};
    const bool told =
        std::ranges::any_of(changes.told, [&](const auto& each) { return each.key == key; });
    if (!told && changes.told.size() < kTypeChangesTold) {
      changes.told.push_back({key, head.type, std::string(to), {}});
    }
    ++keys;
    return {};
  };
  TRIBUTARY_TRY(for_each_key(*store, compare));
  changes.keys = std::max(changes.keys, keys);
  return {};
}

void look_at_outbox(const config::Topology& topology, const config::Origin& origin,
                    TypeChanges& changes) {
  if (origin.retired) return;
  const auto store = store_of(origin)();
  const auto stored = store ? (*store)->schema() : Result<StoredSchema>(fail(store.error()));
  if (!stored) return;  // it has no tables yet, or apply fails there
  const auto looked =
      look_at_waiting(**store, origin.name, stored->schema, topology.schema, changes);
  if (!looked) changes.unasked.push_back(looked.error().in("origin " + origin.name.value).message);
}

}  // namespace

TypeChanges find_type_changes(const config::Topology& topology) {
  TypeChanges changes;
  for (const config::Origin& origin : topology.origins) look_at_outbox(topology, origin, changes);
  if (!may_change_types(topology)) return changes;
  for (const config::Region& region : topology.regions) {
    if (const auto looked = look_through(topology, region, changes); !looked) {
      changes.unasked.push_back(looked.error().in("region " + region.name.value).message);
    }
  }
  return changes;
}

Result<std::uint64_t> retype_keys(const config::Topology& topology, const config::Region& region) {
  TRIBUTARY_ASSIGN(const auto store, replica_of(region)());
  std::uint64_t keys = 0;
  const auto retype = [&](const std::string& key, const LoadedKey& head) -> Result<void> {
    const bool other = other_type(head.type, keyspace_type(topology.schema, key));
    // One that was to become another type, and may stay what it is.
    const bool stays = !other && (head.block.reason.starts_with(kRetyped) ||
                                  head.block.reason.starts_with(kOtherType));
    if (!other && !stays) return {};
    if (other) ++keys;
    TRIBUTARY_TRY(retry_key(*store, topology.schema, key));
    return {};
  };
  TRIBUTARY_TRY(for_each_key(*store, retype));
  return keys;
}

}  // namespace tributary::cli

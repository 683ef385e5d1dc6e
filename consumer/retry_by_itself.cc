#include <map>
#include <utility>

#include <tributary/consumer/group.h>
#include <tributary/consumer/parking.h>
#include <tributary/consumer/retry.h>

namespace tributary {
namespace {

constexpr std::size_t kKeysAtOnce = 256;
constexpr std::size_t kParkedAtOnce = 64;

Result<LoadedKey> load_head(ReplicaStore& store, std::string_view key) {
  const KeyLoad wanted{key, {}};
  TRIBUTARY_ASSIGN(auto loaded, store.load({&wanted, 1}));
  return std::move(loaded.front());
}

/// Whether what blocks the key is known to this version, or to this file, by now. A key that a
/// person wants to have another type waits for the file that says so.
Result<bool> known_by_now(ReplicaStore& store, const Schema& schema, const std::string& key,
                          const KeyBlock& block) {
  if (block.reason.starts_with(kUnknownType)) {
    const std::size_t begin = kUnknownType.size();
    return crdt::find_type(block.reason.substr(begin, block.reason.find(';') - begin)) != nullptr;
  }
  const bool of_type = block.reason.starts_with(kOtherType) ||
                       (block.reason.starts_with(kRetyped) && block.retries == 0);
  if (!of_type) return false;
  TRIBUTARY_ASSIGN(const LoadedKey head, load_head(store, key));
  return !other_type(head.type, keyspace_type(schema, key));
}

/// Whether a key is to be made anew for the sake of a change beside it, and is not marked yet.
Result<bool> fits_its_key(ReplicaStore& store, const Schema& schema, const Parked& parked) {
  if (!stands_beside(parked) || !parked.reason.starts_with(kWrongType)) return false;
  const std::string_view keyspace = keyspace_type(schema, parked.key);
  if (!keyspace.empty() && parked_type(parked) != keyspace) return false;
  TRIBUTARY_ASSIGN(const LoadedKey head, load_head(store, parked.key));
  const std::string type = parked_type(parked);
  if (keyspace.empty() && (type.empty() || type >= head.type)) return false;
  return !head.block.incomplete && !head.block.reason.starts_with(kRetyped);
}

/// Set aside for keys that are not blocked: their blocks were lost.
Result<std::map<std::string, bool>> orphans(ReplicaStore& store, std::span<const Parked> page) {
  std::map<std::string, bool> of_key;
  for (const Parked& parked : page) {
    if (!parked.key.empty() && !stands_beside(parked)) of_key[parked.key] = false;
  }
  std::vector<KeyLoad> loads;
  for (const auto& [key, orphan] : of_key) loads.push_back({key, {}});
  if (loads.empty()) return of_key;
  TRIBUTARY_ASSIGN(const auto loaded, store.load(loads));
  for (std::size_t i = 0; i < loads.size(); ++i) {
    of_key[std::string(loads[i].key)] = loaded[i].block.mark.empty();
  }
  return of_key;
}

}  // namespace

Result<std::string> retry_known_types(ReplicaStore& store, const Schema& schema,
                                      std::string_view after) {
  TRIBUTARY_ASSIGN(const auto page, store.blocked(after, kKeysAtOnce));
  for (const auto& [key, block] : page) {
    TRIBUTARY_ASSIGN(const bool known, known_by_now(store, schema, key, block));
    if (!known) continue;
    if (auto retried = retry_key(store, schema, key);
        !retried && retried.error().kind != ErrorKind::kConflict) {
      return fail(retried.error());
    }
  }
  return page.size() == kKeysAtOnce ? page.back().first : std::string();
}

Result<std::string> retry_fitting_types(ReplicaStore& store, const Schema& schema,
                                        std::string_view after) {
  TRIBUTARY_ASSIGN(const auto page, store.parked(after, kParkedAtOnce));
  TRIBUTARY_ASSIGN(auto orphaned, orphans(store, page));
  for (const Parked& parked : page) {
    const bool orphan = std::exchange(orphaned[parked.key], false);
    TRIBUTARY_ASSIGN(const bool fits, fits_its_key(store, schema, parked));
    if (!orphan && !fits) continue;
    if (auto retried = retry_key(store, schema, parked.key);
        !retried && retried.error().kind != ErrorKind::kConflict) {
      return fail(retried.error());
    }
  }
  return page.size() == kParkedAtOnce ? page.back().id : std::string();
}

}  // namespace tributary

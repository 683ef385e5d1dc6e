#include <algorithm>
#include <map>
#include <optional>

#include "consumer/commit_group.h"
#include "consumer/parking.h"
#include "consumer/retry.h"

namespace tributary {
namespace {

constexpr std::size_t kKeysAtOnce = 256;
constexpr std::size_t kParkedAtOnce = 64;
/// A step joins no more parked changes than these, but for those of one key: whoever applies waits.
constexpr std::uint64_t kJoinedAtOnce = 1000;

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
Result<bool> fits_its_key(ReplicaStore& store, const Schema& schema, const ParkedEntry& parked) {
  if (!stands_beside(parked) || !parked.reason.starts_with(kWrongType)) return false;
  const std::string_view keyspace = keyspace_type(schema, parked.key);
  if (!keyspace.empty() && parked_type(parked) != keyspace) return false;
  TRIBUTARY_ASSIGN(const LoadedKey head, load_head(store, parked.key));
  const std::string type = parked_type(parked);
  if (keyspace.empty() && (type.empty() || type >= head.type)) return false;
  return !head.block.incomplete && !head.block.reason.starts_with(kRetyped);
}

/// Set aside for keys that are not blocked: their blocks were lost.
Result<std::map<std::string, bool>> orphans(ReplicaStore& store,
                                            std::span<const ReplicaStore::ParkedSize> page) {
  std::map<std::string, bool> of_key;
  for (const auto& each : page) {
    const std::string key(parked_key(each.id));
    if (!key.empty() && !stands_beside(each.id)) of_key[key] = false;
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

/// Of the page, what stands at `at` beside its key and has to be looked at; nullopt: it is gone.
Result<std::optional<ParkedEntry>> beside_at(ReplicaStore& store,
                                             std::span<const ReplicaStore::ParkedSize> page,
                                             std::size_t at, std::string_view before) {
  const std::string_view after = at == 0 ? before : std::string_view(page[at - 1].id);
  TRIBUTARY_ASSIGN(auto found, store.parked(after, 1));
  if (found.empty() || found.front().id != page[at].id) return std::optional<ParkedEntry>();
  return std::optional(std::move(found.front()));
}

/// A conflict is no error: another one was first, and it is looked at again.
Result<void> retry_now(ReplicaStore& store, const Schema& schema, std::string_view key) {
  auto retried = retry_key(store, schema, key);
  if (!retried && retried.error().kind != ErrorKind::kConflict) return fail(retried.error());
  return {};
}

}  // namespace

Result<std::string> retry_known_types(ReplicaStore& store, const Schema& schema,
                                      std::string_view after) {
  TRIBUTARY_ASSIGN(const auto page, store.blocked(after, kKeysAtOnce));
  std::uint64_t joined = 0;
  std::string last;
  for (const auto& [key, block] : page) {
    TRIBUTARY_ASSIGN(const bool known, known_by_now(store, schema, key, block));
    if (known) {
      if (joined > 0 && joined + block.bodies > kJoinedAtOnce) return last;
      TRIBUTARY_TRY(retry_now(store, schema, key));
      joined += std::max<std::uint64_t>(1, block.bodies);
    }
    last = key;
  }
  return page.size() == kKeysAtOnce ? page.back().first : std::string();
}

Result<FittingStep> retry_fitting_types(ReplicaStore& store, const Schema& schema,
                                        std::string_view after) {
  TRIBUTARY_ASSIGN(const auto page, store.parked_sizes(after, kParkedAtOnce));
  TRIBUTARY_ASSIGN(auto orphaned, orphans(store, page));
  for (std::size_t at = 0; at < page.size(); ++at) {
    const std::string key(parked_key(page[at].id));
    if (key.empty()) continue;
    bool fits = false;
    if (stands_beside(page[at].id)) {
      TRIBUTARY_ASSIGN(const auto beside, beside_at(store, page, at, after));
      if (!beside) continue;
      TRIBUTARY_ASSIGN(fits, fits_its_key(store, schema, *beside));
    } else {
      fits = orphaned[key];
    }
    if (!fits) continue;
    TRIBUTARY_TRY(retry_now(store, schema, key));
    return FittingStep{page[at].id, true};  // one at a time: it may have a thousand
  }
  return FittingStep{page.size() == kParkedAtOnce ? page.back().id : std::string(), false};
}

}  // namespace tributary

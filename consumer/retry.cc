#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <tributary/consumer/group.h>
#include <tributary/consumer/retry.h>
#include <tributary/outbox/batch.h>

namespace tributary {
namespace {

constexpr int kAttempts = 100;
constexpr std::size_t kKeysAtOnce = 256;
constexpr std::size_t kBodiesAtOnce = 100'000;  // beyond what parking keeps of one key
constexpr std::size_t kIdsAtOnce = 1000;
constexpr std::size_t kParkedAtOnce = 64;

/// Everything about a key that a retry reads and commits.
struct Attempt {
  LoadedKey loaded;
  std::vector<Parked> parked;
  const crdt::Type* type = nullptr;
  bool deferring = false;
  std::vector<std::string> joined;  ///< ids
  bool rebuild = false;             ///< changes beside the key are of its type by now
};

constexpr std::string_view kLost = "changes that were set aside for it are gone";

Result<Attempt> begin(ReplicaStore& store, std::string_view key) {
  const KeyLoad wanted{key, {true, {}}};
  TRIBUTARY_ASSIGN(auto loaded, store.load({&wanted, 1}));
  Attempt attempt{.loaded = std::move(loaded.front()), .parked = {}, .joined = {}};
  TRIBUTARY_ASSIGN(attempt.parked, store.parked_for(key, kBodiesAtOnce));
  attempt.type = crdt::find_type(attempt.loaded.type);
  return attempt;
}

bool beside(const Parked& parked) {
  return parked.id == parked_id(parked.origin, parked.actor, Seq{}, parked.key);
}

/// Set aside beside its key, as of another type than the keyspace's, and of that type now.
bool fits_by_now(const Parked& parked, std::string_view wanted) {
  if (!beside(parked) || !parked.reason.starts_with(kWrongType)) return false;
  const auto batch = decode_piece(parked.bytes);
  return batch && !batch->deltas.empty() && batch->deltas.front().type == wanted;
}

/// Joins one parked delta; why not, when that cannot be done.
///
/// The join sees an empty watermark: the replica's own is long past these changes, and a remove
/// among them must still meet an add that it has seen and that is only joined after it.
std::string join_one(const Batch& batch, const Delta& delta, std::string_view wanted,
                     Attempt& attempt) {
  static const VersionVector kNothing;
  const crdt::Type* type = crdt::find_type(delta.type);
  if (type == nullptr) return std::string(kUnknownType) + delta.type + "; upgrade this consumer";
  if (attempt.type == nullptr && (wanted.empty() || wanted == delta.type)) attempt.type = type;
  if (type != attempt.type) {
    const std::string_view held = attempt.type == nullptr ? wanted : attempt.type->name;
    return "the key is a " + std::string(held) + " here, the change is for a " + delta.type;
  }
  if (auto fields = type->touched(delta.body, bounds_of(batch)); !fields) {
    return std::move(fields.error().message);
  }
  crdt::ViewEdits unused;
  attempt.deferring =
      type->join(delta.body, {batch.actor, delta.last_seq, batch.contexts, &kNothing},
                 attempt.loaded.state, unused)
          .deferring;
  return {};
}

std::string join_all(const Schema& schema, std::string_view key, Attempt& attempt) {
  const std::string_view wanted = keyspace_type(schema, key);
  if (attempt.type != nullptr) {
    crdt::State copy = attempt.loaded.state;
    attempt.deferring = attempt.type->prune(copy, {}).deferring;
  }
  for (const Parked& parked : attempt.parked) {
    if (beside(parked)) {
      attempt.rebuild = attempt.rebuild || fits_by_now(parked, wanted);
      continue;
    }
    const auto batch = decode_piece(parked.bytes);
    if (!batch) return batch.error().message;
    for (const Delta& delta : batch->deltas) {
      if (std::string why = join_one(*batch, delta, wanted, attempt); !why.empty()) return why;
    }
    attempt.joined.push_back(parked.id);
  }
  return {};
}

/// The reason why the view cannot be written; empty when it can.
Result<std::string> view_in_the_way(ReplicaStore& store, std::string_view key,
                                    const Attempt& attempt) {
  if (attempt.type == nullptr) return std::string();
  TRIBUTARY_ASSIGN(const auto view, store.view(key, 0));
  if (view.found == "none" || view.found == crdt::to_string(attempt.type->view)) {
    return std::string();
  }
  return "the key holds a Redis " + view.found +
         " that Tributary did not write; move it away, then retry";
}

Result<void> commit(ReplicaStore& store, std::string_view key, const Attempt& attempt,
                    const std::optional<KeyBlock>& next, std::span<const std::string> unparked,
                    bool state) {
  crdt::ViewEdits edits;
  KeyCommit keyed;
  if (state && attempt.type != nullptr) {
    edits = whole_view(*attempt.type, attempt.loaded.state);
    keyed = {
        key, attempt.type, attempt.loaded.version, &attempt.loaded.state, &edits, attempt.deferring,
        true};
  }
  const BlockCommit block{key, attempt.loaded.block.mark, next};
  const std::size_t keys = state && attempt.type != nullptr ? 1 : 0;
  return store
      .commit({.steps = {},
               .keys = {&keyed, keys},
               .blocks = {&block, 1},
               .progress = {},
               .parked = {},
               .unparked = unparked,
               .hlc = {}})
      .map([](const std::string&) {});
}

/// Marks a key so that the consumer rebuilds it.
Result<RetriedKey> ask_rebuild(ReplicaStore& store, std::string_view key, const Attempt& attempt,
                               const std::string& why) {
  std::vector<std::string> ids;
  for (const Parked& parked : attempt.parked) {
    if (beside(parked) && parked.reason.starts_with(kWrongType)) ids.push_back(parked.id);
  }
  KeyBlock next = attempt.loaded.block;
  next.incomplete = true;
  next.reason = why + "; it is being rebuilt from the changelogs";
  TRIBUTARY_TRY(commit(store, key, attempt, next, ids, false));
  return RetriedKey{std::string(key), 0, next.reason};
}

Result<RetriedKey> attempt_key(ReplicaStore& store, const Schema& schema, std::string_view key) {
  TRIBUTARY_ASSIGN(Attempt attempt, begin(store, key));
  const KeyBlock& block = attempt.loaded.block;
  RetriedKey retried{std::string(key), 0, {}};
  if (block.incomplete) {
    KeyBlock next = block;
    ++next.retries;
    TRIBUTARY_TRY(commit(store, key, attempt, next, {}, false));
    retried.reason =
        block.reason +
        " (changes were left out; the consumer rebuilds it, and looks at it again now)";
    return retried;
  }
  retried.reason = attempt.loaded.damage;
  if (retried.reason.empty()) retried.reason = join_all(schema, key, attempt);
  // Damaged after it was blocked: nobody else looks at a blocked key.
  attempt.rebuild = attempt.rebuild || (!retried.reason.empty() && !block.mark.empty() &&
                                        retried.reason == attempt.loaded.damage);
  if (attempt.rebuild) {
    const std::string& damage = attempt.loaded.damage;
    return ask_rebuild(store, key, attempt,
                       damage.empty() ? "its keyspace had another type" : damage);
  }
  // Another program dropped some of it, or the key's block: what is left is not all.
  if (retried.reason.empty() && attempt.joined.size() != block.bodies) {
    return ask_rebuild(store, key, attempt, std::string(kLost));
  }
  if (retried.reason.empty()) {
    TRIBUTARY_ASSIGN(retried.reason, view_in_the_way(store, key, attempt));
  }
  if (block.mark.empty()) {
    retried.reason.clear();
    return retried;
  }
  if (!retried.reason.empty()) return retried;
  TRIBUTARY_TRY(commit(store, key, attempt, std::nullopt, attempt.joined, true));
  retried.applied = attempt.joined.size();
  return retried;
}

void tell(Retried& all, RetriedKey key) {
  all.applied += key.applied;
  if (key.reason.empty()) {
    ++all.unblocked;
    return;
  }
  ++all.blocked;
  if (all.told.size() < kRetriedTold) all.told.push_back(std::move(key));
}

/// The key in an id of parked_id(); empty for a message.
std::string key_of(const std::string& id) {
  const std::size_t origin = id.find('/');
  constexpr std::size_t kFixed = 1 + 16 + 1 + 20 + 1;  // "/actor/seq/"
  if (origin == std::string::npos || id.size() <= origin + kFixed) return {};
  if (!ActorId::from_hex(id.substr(origin + 1, 16))) return {};
  return id.substr(origin + kFixed);
}

/// Takes some of a key's parked changes away, in one commit.
Result<std::uint64_t> discard_of_key(ReplicaStore& store, const std::string& key,
                                     const std::vector<std::string>* ids) {
  const KeyLoad wanted{key, {}};
  TRIBUTARY_ASSIGN(auto loaded, store.load({&wanted, 1}));
  TRIBUTARY_ASSIGN(const auto parked, store.parked_for(key, kBodiesAtOnce));
  std::vector<std::string> unparked;
  std::uint64_t bodies = 0;
  for (const Parked& each : parked) {
    if (ids != nullptr && std::find(ids->begin(), ids->end(), each.id) == ids->end()) continue;
    unparked.push_back(each.id);
    if (!beside(each)) ++bodies;
  }
  const KeyBlock& before = loaded.front().block;
  std::optional<KeyBlock> next;
  if (before.incomplete || before.bodies > bodies) next = before;
  if (next) next->bodies -= std::min(next->bodies, bodies);
  const BlockCommit block{key, before.mark, std::move(next)};
  const std::size_t blocks = before.mark.empty() ? 0 : 1;
  TRIBUTARY_TRY(store.commit({.steps = {},
                              .keys = {},
                              .blocks = {&block, blocks},
                              .progress = {},
                              .parked = {},
                              .unparked = unparked,
                              .hlc = {}}));
  return unparked.size();
}

/// Tries again while others are first.
template <typename Work>
auto insist(Work work) -> decltype(work()) {
  for (int attempt = 1;; ++attempt) {
    auto done = work();
    if (done || done.error().kind != ErrorKind::kConflict || attempt == kAttempts) return done;
  }
}

}  // namespace

Result<RetriedKey> retry_key(ReplicaStore& store, const Schema& schema, std::string_view key) {
  return insist([&] { return attempt_key(store, schema, key); });
}

Result<Retried> retry_all(ReplicaStore& store, const Schema& schema) {
  Retried all;
  std::string after;
  for (bool more = true; more;) {
    TRIBUTARY_ASSIGN(const auto page, store.blocked(after, kKeysAtOnce));
    for (const auto& [key, block] : page) {
      TRIBUTARY_ASSIGN(RetriedKey retried, retry_key(store, schema, key));
      tell(all, std::move(retried));
      after = key;
    }
    more = page.size() == kKeysAtOnce;
  }
  return all;
}

Result<std::string> retry_known_types(ReplicaStore& store, const Schema& schema,
                                      std::string_view after) {
  TRIBUTARY_ASSIGN(const auto page, store.blocked(after, kKeysAtOnce));
  for (const auto& [key, block] : page) {
    if (!block.reason.starts_with(kUnknownType)) continue;
    const std::size_t begin = kUnknownType.size();
    const std::string type = block.reason.substr(begin, block.reason.find(';') - begin);
    if (crdt::find_type(type) == nullptr) continue;
    if (auto retried = retry_key(store, schema, key);
        !retried && retried.error().kind != ErrorKind::kConflict) {
      return fail(retried.error());
    }
  }
  return page.size() == kKeysAtOnce ? page.back().first : std::string();
}

namespace {

/// Set aside for keys that are not blocked: their blocks were lost.
Result<std::map<std::string, bool>> orphans(ReplicaStore& store, std::span<const Parked> page) {
  std::map<std::string, bool> of_key;
  for (const Parked& parked : page) {
    if (!parked.key.empty() && !beside(parked)) of_key[parked.key] = false;
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

Result<std::string> retry_fitting_types(ReplicaStore& store, const Schema& schema,
                                        std::string_view after) {
  TRIBUTARY_ASSIGN(const auto page, store.parked(after, kParkedAtOnce));
  TRIBUTARY_ASSIGN(auto orphaned, orphans(store, page));
  for (const Parked& parked : page) {
    const bool orphan = std::exchange(orphaned[parked.key], false);
    if (!orphan && !fits_by_now(parked, keyspace_type(schema, parked.key))) continue;
    if (auto retried = retry_key(store, schema, parked.key);
        !retried && retried.error().kind != ErrorKind::kConflict) {
      return fail(retried.error());
    }
  }
  return page.size() == kParkedAtOnce ? page.back().id : std::string();
}

Result<std::uint64_t> discard_key(ReplicaStore& store, std::string_view key) {
  return insist([&] { return discard_of_key(store, std::string(key), nullptr); });
}

Result<std::uint64_t> discard_parked(ReplicaStore& store, const std::vector<std::string>& ids) {
  std::map<std::string, std::vector<std::string>> by_key;
  for (const std::string& id : ids) by_key[key_of(id)].push_back(id);
  std::uint64_t discarded = 0;
  for (const auto& [key, of_key] : by_key) {
    if (!key.empty()) {
      TRIBUTARY_ASSIGN(const std::uint64_t gone,
                       insist([&] { return discard_of_key(store, key, &of_key); }));
      discarded += gone;
      continue;
    }
    for (std::size_t at = 0; at < of_key.size(); at += kIdsAtOnce) {
      const auto some = std::span(of_key).subspan(at, std::min(kIdsAtOnce, of_key.size() - at));
      TRIBUTARY_TRY(store.commit(
          {.steps = {}, .keys = {}, .progress = {}, .parked = {}, .unparked = some, .hlc = {}}));
      discarded += some.size();
    }
  }
  return discarded;
}

}  // namespace tributary

#include "consumer/retry.h"

#include <algorithm>
#include <map>
#include <optional>

#include "consumer/commit_group.h"
#include "consumer/parking.h"
#include "outbox/batch/batch.h"

namespace tributary {
namespace {

constexpr int kAttempts = 100;
constexpr std::size_t kKeysAtOnce = 256;
constexpr std::size_t kBodiesAtOnce = 100'000;  // beyond what parking keeps of one key
constexpr std::size_t kIdsAtOnce = 1000;

/// Everything about a key that a retry reads and commits.
struct Attempt {
  LoadedKey loaded;
  std::vector<ParkedEntry> parked;
  const crdt::Type* type = nullptr;
  bool deferring = false;
  std::vector<std::string> joined;  ///< ids
  std::vector<std::string> moved;   ///< ids of what stands in `beside` now
  std::vector<ParkedEntry> beside;
  bool rebuild = false;  ///< changes beside the key are of its type by now
};

constexpr std::string_view kHadOtherType = "its keyspace had another type";
constexpr std::string_view kLost = "changes that were set aside for it are gone";
constexpr std::string_view kHalf =
    "a commit to it stopped half-way; the consumer puts it right, then retry";

Result<Attempt> begin(ReplicaStore& store, std::string_view key) {
  const KeyLoad wanted{key, {true, {}}};
  TRIBUTARY_ASSIGN(auto loaded, store.load({&wanted, 1}));
  Attempt attempt{
      .loaded = std::move(loaded.front()), .parked = {}, .joined = {}, .moved = {}, .beside = {}};
  TRIBUTARY_ASSIGN(attempt.parked, store.parked_for(key, kBodiesAtOnce));
  attempt.type = crdt::find_type(attempt.loaded.type);
  return attempt;
}

/// The type that the key must have, as in commit_group.h; empty: nobody can tell.
std::string wanted_type(const Schema& schema, std::string_view key, const Attempt& attempt) {
  if (const auto keyspace = keyspace_type(schema, key); !keyspace.empty()) {
    return std::string(keyspace);
  }
  std::string first = attempt.loaded.type;
  for (const ParkedEntry& parked : attempt.parked) {
    if (stands_beside(parked) && !parked.reason.starts_with(kWrongType)) continue;  // never obeyed
    const std::string type = parked_type(parked);
    if (first.empty() || (!type.empty() && type < first)) first = type;
  }
  return first;
}

/// Set aside beside its key, as of another type than the key's, and of that type now.
bool fits_by_now(const ParkedEntry& parked, std::string_view wanted) {
  return stands_beside(parked) && parked.reason.starts_with(kWrongType) &&
         parked_type(parked) == wanted;
}

/// Joins one parked delta; why not, when that cannot be done.
///
/// The join sees an empty watermark: the replica's own is long past these changes, and a remove
/// among them must still meet an add that it has seen and that is only joined after it.
std::string join_one(const Batch& batch, const Delta& delta, Attempt& attempt) {
  static const VersionVector kNothing;
  const crdt::Type* type = delta.type.known;
  if (type == nullptr)
    return std::string(kUnknownType) + delta.type.name + "; upgrade this consumer";
  attempt.type = type;
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

std::string join_all(std::string_view wanted, Attempt& attempt) {
  // No keyspace decides, and the key becomes another one.
  attempt.rebuild = other_type(attempt.loaded.type, wanted);
  if (attempt.type != nullptr) {
    crdt::State copy = attempt.loaded.state;
    attempt.deferring = attempt.type->prune(copy, {}).deferring;
  }
  for (const ParkedEntry& parked : attempt.parked) {
    attempt.rebuild = attempt.rebuild || fits_by_now(parked, wanted);
  }
  if (attempt.rebuild) return {};
  attempt.beside = put_beside(attempt.parked, wanted);
  for (const ParkedEntry& parked : attempt.parked) {
    if (stands_beside(parked)) continue;
    const auto batch = decode_piece(parked.bytes);
    if (!batch) return batch.error().message;
    if (parked_type(parked) != wanted) {
      attempt.moved.push_back(parked.id);
      continue;
    }
    for (const Delta& delta : batch->deltas) {
      if (std::string why = join_one(*batch, delta, attempt); !why.empty()) return why;
    }
    attempt.joined.push_back(parked.id);
  }
  return {};
}

/// The reason why the view cannot be written; empty when it can.
Result<std::string> view_in_the_way(ReplicaStore& store, const Schema& schema, std::string_view key,
                                    const Attempt& attempt) {
  if (attempt.type == nullptr) return std::string();
  const auto view = store.view(key, 0);
  if (!view && view.error().kind == ErrorKind::kPoison) return refused_reason(schema, key);
  if (!view) return fail(view.error());
  if (view->found == "none" || view->found == crdt::to_string(attempt.type->view)) {
    return std::string();
  }
  return "the key holds a Redis " + view->found +
         " that Tributary did not write; move it away, then retry";
}

Result<void> commit(ReplicaStore& store, std::string_view key, const Attempt& attempt,
                    const std::optional<KeyBlock>& next, bool state) {
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
  std::vector<std::string> unparked;
  if (state) unparked = attempt.joined;
  if (state) unparked.insert(unparked.end(), attempt.moved.begin(), attempt.moved.end());
  const std::size_t beside = state ? attempt.beside.size() : 0;
  return store
      .commit({.advances = {},
               .keys = {&keyed, keys},
               .blocks = {&block, 1},
               .progress = {},
               .parked = {attempt.beside.data(), beside},
               .unparked = unparked,
               .hlc = {}})
      .map([](const std::string&) {});
}

/// Marks a key so that the consumer makes it anew. What stands beside it and is in it then goes
/// with that.
Result<RetryResult> ask_rebuild(ReplicaStore& store, std::string_view key, const Attempt& attempt,
                                KeyBlock next) {
  ++next.retries;
  TRIBUTARY_TRY(commit(store, key, attempt, next, false));
  return RetryResult{std::string(key), 0, next.reason};
}

Result<RetryResult> attempt_key(ReplicaStore& store, const Schema& schema, std::string_view key) {
  TRIBUTARY_ASSIGN(Attempt attempt, begin(store, key));
  const std::string& damage = attempt.loaded.damage;
  KeyBlock block = attempt.loaded.block;
  if (block.incomplete) {
    TRIBUTARY_ASSIGN(RetryResult asked, ask_rebuild(store, key, attempt, block));
    asked.reason += " (changes were left out; the consumer rebuilds it, and looks at it again now)";
    return asked;
  }
  if (attempt.loaded.refused) {
    return RetryResult{std::string(key), 0,
                       block.mark.empty() ? std::string() : refused_reason(schema, key)};
  }
  const std::string_view keyspace = keyspace_type(schema, key);
  if (damage.empty() && other_type(attempt.loaded.type, keyspace)) {
    block.reason = retyped_reason(attempt.loaded.type, keyspace);
    return ask_rebuild(store, key, attempt, std::move(block));
  }
  RetryResult retried{std::string(key), 0, damage};
  if (damage.empty()) retried.reason = join_all(wanted_type(schema, key, attempt), attempt);
  // Damaged after it was blocked: nobody else looks at a blocked key.
  const bool damaged = !damage.empty() && !block.mark.empty();
  // Another program dropped some of what was set aside, or the key's block.
  const bool lost = retried.reason.empty() && !attempt.rebuild &&
                    attempt.joined.size() + attempt.moved.size() != block.bodies;
  if (lost) {
    TRIBUTARY_ASSIGN(const ReplicaProgress progress, store.progress());
    const auto& half = progress.unfinished;
    if (std::find(half.begin(), half.end(), key) != half.end()) {
      retried.reason = kHalf;
      return retried;
    }
  }
  if (attempt.rebuild || damaged || lost) {
    block.incomplete = true;
    block.reason = damaged ? damage : std::string(lost ? kLost : kHadOtherType);
    block.reason += "; it is being rebuilt from the changelogs";
    return ask_rebuild(store, key, attempt, std::move(block));
  }
  if (retried.reason.empty()) {
    TRIBUTARY_ASSIGN(retried.reason, view_in_the_way(store, schema, key, attempt));
  }
  if (block.mark.empty()) {
    retried.reason.clear();
    return retried;
  }
  if (!retried.reason.empty()) return retried;
  TRIBUTARY_TRY(commit(store, key, attempt, std::nullopt, true));
  retried.applied = attempt.joined.size();
  return retried;
}

void tell(RetryReport& all, RetryResult key) {
  all.applied += key.applied;
  if (key.reason.empty()) {
    ++all.unblocked;
    return;
  }
  ++all.blocked;
  if (all.told.size() < kRetryTold) all.told.push_back(std::move(key));
}

/// Takes some of a key's parked changes away, in one commit.
Result<std::uint64_t> discard_of_key(ReplicaStore& store, const std::string& key,
                                     const std::vector<std::string>* ids) {
  const KeyLoad wanted{key, {}};
  TRIBUTARY_ASSIGN(auto loaded, store.load({&wanted, 1}));
  TRIBUTARY_ASSIGN(const auto parked, store.parked_for(key, kBodiesAtOnce));
  std::vector<std::string> unparked;
  std::vector<std::string> missed;  // what stands beside the key was never to be in it
  for (const ParkedEntry& each : parked) {
    if (ids != nullptr && std::find(ids->begin(), ids->end(), each.id) == ids->end()) continue;
    unparked.push_back(each.id);
    if (!stands_beside(each)) missed.push_back(each.id);
  }
  const KeyBlock& before = loaded.front().block;
  std::optional<KeyBlock> next;
  if (before.incomplete || before.bodies > missed.size()) next = before;
  if (next) next->bodies -= std::min<std::uint64_t>(next->bodies, missed.size());
  const BlockCommit block{key, before.mark, std::move(next)};
  const std::size_t blocks = before.mark.empty() ? 0 : 1;
  TRIBUTARY_TRY(store.commit({.advances = {},
                              .keys = {},
                              .blocks = {&block, blocks},
                              .progress = {},
                              .parked = {},
                              .unparked = unparked,
                              .discarded = missed,
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

Result<RetryResult> retry_key(ReplicaStore& store, const Schema& schema, std::string_view key) {
  return insist([&] { return attempt_key(store, schema, key); });
}

Result<RetryReport> retry_all(ReplicaStore& store, const Schema& schema) {
  RetryReport all;
  std::string after;
  for (bool more = true; more;) {
    TRIBUTARY_ASSIGN(const auto page, store.blocked(after, kKeysAtOnce));
    for (const auto& [key, block] : page) {
      TRIBUTARY_ASSIGN(RetryResult retried, retry_key(store, schema, key));
      tell(all, std::move(retried));
      after = key;
    }
    more = page.size() == kKeysAtOnce;
  }
  return all;
}

Result<std::uint64_t> discard_key(ReplicaStore& store, std::string_view key) {
  return insist([&] { return discard_of_key(store, std::string(key), nullptr); });
}

Result<std::uint64_t> discard_parked(ReplicaStore& store, const std::vector<std::string>& ids) {
  std::map<std::string, std::vector<std::string>> by_key;
  for (const std::string& id : ids) by_key[std::string(parked_key(id))].push_back(id);
  std::uint64_t discarded = 0;
  for (const auto& [key, of_key] : by_key) {
    if (!key.empty()) {
      TRIBUTARY_ASSIGN(const std::uint64_t gone, insist([&, &key = key, &of_key = of_key] {
                         return discard_of_key(store, key, &of_key);
                       }));
      discarded += gone;
      continue;
    }
    for (std::size_t at = 0; at < of_key.size(); at += kIdsAtOnce) {
      const auto some = std::span(of_key).subspan(at, std::min(kIdsAtOnce, of_key.size() - at));
      TRIBUTARY_TRY(store.commit(
          {.advances = {}, .keys = {}, .progress = {}, .parked = {}, .unparked = some, .hlc = {}}));
      discarded += some.size();
    }
  }
  return discarded;
}

}  // namespace tributary

#include "consumer/pruning.h"

#include <algorithm>
#include <string>

namespace tributary {
namespace {

constexpr std::size_t kKeysAtOnce = 256;
constexpr Micros kHour = std::chrono::hours(1);
constexpr std::size_t kStrangersKept = 10'000;

Result<LoadedKey> load_one(ReplicaStore& store, const std::string& key,
                           crdt::FieldSelection fields) {
  const KeyLoad wanted{key, std::move(fields)};
  TRIBUTARY_ASSIGN(auto loaded, store.load({&wanted, 1}));
  return std::move(loaded.front());
}

Result<void> commit_pruned(ReplicaStore& store, KnownReplica& known, const std::string& key,
                           const crdt::Type& type, const LoadedKey& loaded, bool deferring) {
  const crdt::ViewEdits none;
  const KeyCommit commit{key, &type, loaded.version, &loaded.state, &none, deferring};
  auto done = store.commit({.expected_token = known.token,
                            .advances = {},
                            .keys = {&commit, 1},
                            .progress = {},
                            .parked = {},
                            .unparked = {},
                            .hlc = {}});
  if (done) {
    known.token = std::move(*done);
    return {};
  }
  if (done.error().kind != ErrorKind::kConflict) return fail(done.error());
  return check_token(store, known);  // only the key was in the way: next time
}

}  // namespace

bool Pruning::never_comes(const KnownReplica& known,
                          const std::map<OriginName, OriginState>& origins, ActorId actor,
                          Seq seq) {
  if (const auto record = known.actors.find(actor); record != known.actors.end()) {
    const auto& final_seq = record->second.final_seq;
    return final_seq && *final_seq < seq && known.watermark.get(actor) >= *final_seq;
  }
  if (known.doubtful.contains(actor)) return false;
  const Micros now = clock_.monotonic();
  if (strangers_.size() >= kStrangersKept) {
    std::erase_if(strangers_, [&](const auto& met) { return now - met.second.at > 2 * kHour; });
    if (strangers_.size() >= kStrangersKept && !strangers_.contains(actor)) return false;
  }
  const Met met = strangers_.try_emplace(actor, Met{known.hlc, now}).first->second;
  if (now - met.at < kHour) return false;
  // An hour more, for clocks that run ahead of each other.
  const Hlc passed = Hlc::from_micros(met.hlc.micros() + kHour.count());
  return std::ranges::none_of(
      origins, [&](const auto& origin) { return may_bring(origin.second, actor, passed); });
}

/// One that is retired writes no more, and one that was never heard speaks by an actor of its own
/// name first; but what they wrote may not have been read yet.
bool Pruning::may_bring(const OriginState& origin, ActorId actor, Hlc passed) const {
  if (retired_.contains(origin.name())) return actor.made_for(origin.name());
  const OriginProgress& progress = origin.progress();
  if (progress.actor == ActorId{}) return actor.made_for(origin.name());
  return progress.hlc < passed;
}

Result<bool> Pruning::prune_key(ReplicaStore& store, KnownReplica& known,
                                const std::map<OriginName, OriginState>& origins,
                                const std::string& key) {
  TRIBUTARY_ASSIGN(LoadedKey head, load_one(store, key, {}));
  const crdt::Type* type = crdt::find_type(head.type);
  // A blocked key has not seen all that the watermark covers; a retry will tell.
  if (type == nullptr || !head.block.mark.empty() || !head.damage.empty()) return true;
  TRIBUTARY_ASSIGN(head, load_one(store, key, {false, {std::string(type->head)}}));
  if (!head.damage.empty()) return true;
  TRIBUTARY_ASSIGN(LoadedKey loaded, load_one(store, key, type->deferred(head.state)));
  if (loaded.version != head.version || !loaded.damage.empty()) return true;
  VersionVector covered = known.watermark;
  for (const auto& [actor, seq] : type->awaited(loaded.state)) {
    if (covered.get(actor) < seq && never_comes(known, origins, actor, seq)) {
      covered.raise(actor, seq);
    }
  }
  const bool deferring = type->prune(loaded.state, covered).deferring;
  bool changed = !deferring;
  for (const auto& field : loaded.state.fields()) changed = changed || field.changed;
  if (changed) TRIBUTARY_TRY(commit_pruned(store, known, key, *type, loaded, deferring));
  return deferring;
}

Result<bool> Pruning::step(ReplicaStore& store, KnownReplica& known,
                           const std::map<OriginName, OriginState>& origins) {
  TRIBUTARY_ASSIGN(const auto keys, store.deferring_keys(kKeysAtOnce));
  bool left = keys.size() == kKeysAtOnce;
  for (const std::string& key : keys) {
    TRIBUTARY_ASSIGN(const bool deferring, prune_key(store, known, origins, key));
    left = left || deferring;
  }
  return left;
}

}  // namespace tributary

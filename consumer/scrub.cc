#include "consumer/scrub.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "consumer/commit_group.h"
#include "consumer/parking.h"

namespace tributary {
namespace {

constexpr std::size_t kMembersCompared = 10'000;
constexpr int kSessionsEnded = 3;
constexpr std::size_t kMostLeftOut = 1000;
constexpr std::size_t kBodiesCounted = 100'000;  // beyond what parking keeps of one key

Result<LoadedKey> load_whole(ReplicaStore& store, const std::string& key) {
  const KeyLoad wanted{key, {true, {}}};
  TRIBUTARY_ASSIGN(auto loaded, store.load({&wanted, 1}));
  return std::move(loaded.front());
}

/// A commit under the known token; false when only the key was in the way.
Result<bool> commit(ReplicaStore& store, KnownReplica& known, ReplicaCommit wanted) {
  wanted.expected_token = known.token;
  auto done = store.commit(wanted);
  if (done) {
    known.token = std::move(*done);
    return true;
  }
  if (done.error().kind != ErrorKind::kConflict) return fail(done.error());
  TRIBUTARY_TRY(check_token(store, known));
  return false;
}

Result<bool> block(ReplicaStore& store, KnownReplica& known, const std::string& key,
                   std::string reason, bool incomplete) {
  log::warn("a key is blocked; changes to it are set aside from here on",
            {{"key", key}, {"reason", reason}});
  KeyBlock next;
  next.incomplete = incomplete;
  next.reason = std::move(reason);
  const BlockCommit blocked{key, "", std::move(next)};
  return commit(store, known,
                {.advances = {},
                 .keys = {},
                 .blocks = {&blocked, 1},
                 .progress = {},
                 .parked = {},
                 .unparked = {},
                 .hlc = {}});
}

/// The members of a view made of `edits` by whole_view(), as KeyReading has them but for
/// their order where a view has none.
std::vector<std::pair<std::string, std::string>> values_of(const crdt::Type& type,
                                                           const crdt::ViewEdits& edits) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const crdt::ViewEdit& edit : edits) {
    if (const auto entry = crdt::entry_of(edit)) values.emplace_back(entry->name, entry->value);
  }
  if (type.view != crdt::ViewKind::kList) std::sort(values.begin(), values.end());
  return values;
}

bool same(const crdt::Type& type, const crdt::ViewEdits& edits, ReplicaStore::ViewContent content) {
  if (!content.whole) return true;
  if (type.view != crdt::ViewKind::kList) std::sort(content.values.begin(), content.values.end());
  return values_of(type, edits) == content.values;
}

KeyCommit whole(const std::string& key, const crdt::Type& type, LoadedKey& loaded,
                const crdt::ViewEdits& edits) {
  const bool deferring = type.prune(loaded.state, {}).deferring;
  loaded.state.mark_unchanged();
  return {key, &type, loaded.version, &loaded.state, &edits, deferring, true};
}

}  // namespace

Scrub::Scrub(Metrics& metrics)
    : mended_(metrics.event_count("tributary_consumer_views_mended_total",
                                  "Views that others had changed, made whole again", {})) {}

Result<void> Scrub::step(ReplicaStore& store, KnownReplica& known, const Schema& schema,
                         std::size_t limit) {
  TRIBUTARY_ASSIGN(auto found, store.walk(cursor_, limit));
  cursor_ = std::move(found.cursor);
  if (found.keys.empty()) return {};
  std::vector<KeyLoad> loads;
  for (const std::string& key : found.keys) loads.push_back({key, {}});
  TRIBUTARY_ASSIGN(const auto heads, store.load(loads));
  std::vector<std::pair<std::string_view, crdt::ViewKind>> views;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const crdt::Type* type = crdt::find_type(heads[i].type);
    if (type != nullptr) views.emplace_back(found.keys[i], type->view);
  }
  TRIBUTARY_ASSIGN(const auto changed, store.changed_views(views));
  std::set<std::string_view> differ;
  std::set<std::string_view> refused;
  for (const ChangedView& view : changed) (view.refused ? refused : differ).insert(view.key);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const std::string& key = found.keys[i];
    if (heads[i].refused || refused.contains(key)) {
      if (!heads[i].block.mark.empty()) continue;
      TRIBUTARY_TRY(block(store, known, key, refused_reason(schema, key), false));
      continue;
    }
    TRIBUTARY_TRY(watched(store, known, schema, key, heads[i], differ.contains(key)));
  }
  return {};
}

void Scrub::restart() {
  cursor_.clear();
  const std::string key = std::exchange(at_, {});
  if (key.empty() || ++ended_[key] < kSessionsEnded) return;
  if (left_out_.size() >= kMostLeftOut) left_out_.clear();
  log::error("a view cannot be compared with its state; it is left out of that from here on",
             {{"key", key}});
  left_out_.insert(key);
  ended_.clear();
}

Result<void> Scrub::watched(ReplicaStore& store, KnownReplica& known, const Schema& schema,
                            const std::string& key, const LoadedKey& head, bool changed) {
  if (left_out_.contains(key)) return {};
  at_ = key;
  TRIBUTARY_ASSIGN(const bool its_type, of_its_type(store, known, schema, key, head));
  if (its_type) TRIBUTARY_TRY(look_at(store, known, key, head, changed));
  at_.clear();
  if (!ended_.empty()) ended_.erase(key);
  return {};
}

/// Otherwise the key is blocked: no change can go to it, and other replicas may not have it.
/// Damage may be what gives it another type.
Result<bool> Scrub::of_its_type(ReplicaStore& store, KnownReplica& known, const Schema& schema,
                                const std::string& key, const LoadedKey& head) {
  const std::string_view keyspace = keyspace_type(schema, key);
  if (!head.block.mark.empty() || !other_type(head.type, keyspace)) return true;
  TRIBUTARY_ASSIGN(const LoadedKey loaded, load_whole(store, key));
  if (loaded.version != head.version) return true;
  if (!loaded.damage.empty()) {
    TRIBUTARY_TRY(look_at(store, known, key, loaded, false));
    return false;
  }
  TRIBUTARY_TRY(block(store, known, key,
                      std::string(kOtherType) + "it is a " + head.type +
                          " here, and the keyspace says " + std::string(keyspace) +
                          "; give the keyspace its type back, or see \"Changing a keyspace's "
                          "type\" in docs/topology.md",
                      false));
  return false;
}

Result<void> Scrub::look_at(ReplicaStore& store, KnownReplica& known, const std::string& key,
                            const LoadedKey& head, bool changed) {
  if (!head.block.mark.empty()) return {};
  if (!head.damage.empty()) {
    return block(store, known, key, head.damage + "; it is being rebuilt from the changelogs", true)
        .map([](bool) {});
  }
  const crdt::Type* type = crdt::find_type(head.type);
  if (type == nullptr) return {};
  auto viewed = store.view(key, kMembersCompared);
  if (!viewed && viewed.error().kind == ErrorKind::kPoison) return {};  // the next round tells
  if (!viewed) return fail(viewed.error());
  ReplicaStore::ViewContent& content = *viewed;
  const bool foreign = content.found != "none" && content.found != crdt::to_string(type->view);
  if (!foreign && !changed && !content.whole) return {};
  TRIBUTARY_ASSIGN(LoadedKey loaded, load_whole(store, key));
  if (loaded.version != head.version) return {};  // the view may be of another moment
  if (!loaded.damage.empty()) return look_at(store, known, key, loaded, changed);
  if (foreign) {
    return block(store, known, key,
                 "the key holds a Redis " + content.found +
                     " that Tributary did not write; move it away, then `tributary parked retry`",
                 false)
        .map([](bool) {});
  }
  const crdt::ViewEdits edits = whole_view(*type, loaded.state);
  if (!changed && same(*type, edits, std::move(content))) return {};
  const KeyCommit mended = whole(key, *type, loaded, edits);
  TRIBUTARY_ASSIGN(const bool done, commit(store, known,
                                           {.advances = {},
                                            .keys = {&mended, 1},
                                            .progress = {},
                                            .parked = {},
                                            .unparked = {},
                                            .hlc = {}}));
  if (!done) return {};
  mended_.add(1);
  log::warn("a view was not as its state says; it is made whole", {{"key", key}});
  return {};
}

namespace {

/// Of the changes that a stopped commit set aside, or forgot, the block tells another number than
/// there are. What the watermark does not cover comes again, and is set aside and counted then.
Result<std::vector<std::string>> recount(ReplicaStore& store, const KnownReplica& known,
                                         const std::string& key, KeyBlock& block) {
  TRIBUTARY_ASSIGN(const auto parked, store.parked_for(key, kBodiesCounted));
  std::vector<std::string> comes_again;
  block.bodies = 0;
  for (const ParkedEntry& each : parked) {
    if (stands_beside(each)) continue;
    const bool seen = known.watermark.covers({each.actor, each.last_seq});
    if (seen || known.doubtful.contains(each.actor)) ++block.bodies;
    else comes_again.push_back(each.id);
  }
  return comes_again;
}

}  // namespace

Result<void> finish_commits(ReplicaStore& store, KnownReplica& known,
                            std::span<const std::string> unfinished) {
  for (const std::string& key : unfinished) {
    TRIBUTARY_ASSIGN(LoadedKey loaded, load_whole(store, key));
    const crdt::Type* type = loaded.damage.empty() ? crdt::find_type(loaded.type) : nullptr;
    crdt::ViewEdits edits;
    std::vector<KeyCommit> keys;
    std::vector<BlockCommit> blocks;
    KeyBlock block = loaded.block;
    TRIBUTARY_ASSIGN(const auto unparked, recount(store, known, key, block));
    if (!block.mark.empty()) blocks.push_back({key, loaded.block.mark, block});
    if (type != nullptr) {
      edits = whole_view(*type, loaded.state);
      keys.push_back(whole(key, *type, loaded, edits));
    }
    const auto tell = [&](std::span<const KeyCommit> mended) {
      return commit(store, known,
                    {.advances = {},
                     .keys = mended,
                     .blocks = blocks,
                     .progress = {},
                     .parked = {},
                     .unparked = unparked,
                     .hlc = {},
                     .finished = {&key, 1}});
    };
    TRIBUTARY_ASSIGN(const bool done, tell(keys));
    if (done || keys.empty()) continue;
    TRIBUTARY_TRY(tell({}));  // its view is foreign or refused: the next commit to the key tells
  }
  if (!unfinished.empty()) {
    log::warn("a commit had stopped half-way; its keys were put right",
              {{"keys", unfinished.size()}});
  }
  return {};
}

}  // namespace tributary

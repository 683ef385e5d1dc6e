#include "consumer/rebuilder.h"

#include <algorithm>

#include "base/log.h"
#include "consumer/commit_group.h"
#include "consumer/parking.h"

namespace tributary {
namespace {

constexpr std::size_t kKeysInAPass = 1000;
constexpr std::size_t kBlockedAtOnce = 1000;
constexpr int kPagesInAStep = 10;
constexpr std::size_t kLooksInAStep = 200;  // at keys that are not tried then
constexpr std::size_t kHopelessKept = 10'000;
constexpr Micros kHopelessFor = std::chrono::minutes(1);
constexpr Millis kLeastPause{10'000};
constexpr Millis kLookAgain{2000};
constexpr int kPauseFactor = 10;
constexpr int kAttempts = 100;
constexpr std::size_t kBodiesAtOnce = 100'000;

/// What the key holds by now, or what stands beside it from now on.
std::vector<std::string> ids_of(const std::vector<ParkedEntry>& parked, std::string_view type) {
  std::vector<std::string> ids;
  for (const ParkedEntry& each : parked) {
    const bool stays =
        stands_beside(each) && (!each.reason.starts_with(kWrongType) || parked_type(each) != type);
    if (!stays) ids.push_back(each.id);
  }
  return ids;
}

/// Whether a view of the Redis type `found` is none that Tributary wrote for the key as it was
/// (`held`) nor as it will be.
bool in_the_way(const std::string& found, const crdt::Type* type, std::string_view held) {
  if (type == nullptr || found == "none" || found == crdt::to_string(type->view)) return false;
  const crdt::Type* before = crdt::find_type(held);
  return before == nullptr || found != crdt::to_string(before->view);
}

/// A blocked key that is to be made anew; one that only gets another type waits until this consumer
/// knows of that.
bool to_rebuild(const LoadedKey& key, std::string_view keyspace) {
  return key.block.incomplete ||
         (key.block.reason.starts_with(kRetyped) && other_type(key.type, keyspace));
}

/// Commits the key as it was made, of that type, unless something of it or of the replica has moved
/// on.
Result<void> commit_rebuilt(ReplicaStore& store, const std::string& key, const RebuiltKey& made,
                            const crdt::Type* type, const LoadedKey& loaded,
                            const VersionVector& good_until) {
  TRIBUTARY_ASSIGN(const auto parked, store.parked_for(key, kBodiesAtOnce));
  std::vector<std::string> ids =
      ids_of(parked, type == nullptr ? std::string_view(made.keyspace_type) : type->name);
  std::vector<ParkedEntry> beside;
  crdt::ViewEdits edits;
  KeyCommit keyed;
  if (type != nullptr) {
    beside = put_beside(parked, type->name);
    std::erase_if(ids, [&](const std::string& id) {  // what takes an id over stays
      return std::ranges::find(beside, id, &ParkedEntry::id) != beside.end();
    });
    edits = whole_view(*type, made.state);
    keyed = {key, type, loaded.version, &made.state, &edits, made.deferring, true, true};
  }
  TRIBUTARY_ASSIGN(auto regained, store.discarded());
  std::erase_if(regained, [&](const std::string& id) { return parked_key(id) != key; });
  const BlockCommit block{key, loaded.block.mark, std::nullopt};
  const std::size_t keys = type != nullptr ? 1 : 0;
  TRIBUTARY_TRY(store.commit({.advances = {},
                              .watermark_at_most = &good_until,
                              .keys = {&keyed, keys},
                              .blocks = {&block, 1},
                              .progress = {},
                              .parked = beside,
                              .unparked = ids,
                              .regained = regained,
                              .hlc = {}}));
  if (type != nullptr && !loaded.type.empty() && loaded.type != type->name) {
    log::warn("a key has another type from here on",
              {{"key", key}, {"before", loaded.type}, {"now", type->name}});
  }
  return {};
}

}  // namespace

Rebuilder::Rebuilder(OpenReplica open_replica, RebuildPass::Changelogs changelogs,
                     const ConsumerSettings& settings, Clock& clock, Metrics& metrics)
    : open_replica_(std::move(open_replica)),
      changelogs_(std::move(changelogs)),
      settings_(settings),
      clock_(clock),
      rebuilt_(metrics.event_count("tributary_consumer_keys_rebuilt_total",
                                   "Keys made anew from the changelogs", {})) {}

Millis Rebuilder::step(const std::stop_token& stop) {
  const Micros begun = clock_.monotonic();
  bool passed = false;
  const auto done = [&]() -> Result<void> {
    if (store_ == nullptr) {
      TRIBUTARY_ASSIGN(store_, open_replica_());
    }
    TRIBUTARY_ASSIGN(const auto wanted, choose(*store_));
    if (wanted.empty()) return {};
    passed = true;
    return pass(*store_, wanted, stop);
  }();
  if (!done && !stop.stop_requested()) {
    store_.reset();
    if (outage_ != done.error().message) {
      log::warn("keys cannot be rebuilt now; it is tried again",
                {{"reason", done.error().message}});
    }
    outage_ = done.error().message;
    passed = true;
  } else {
    outage_.clear();
  }
  if (!passed) return kLookAgain;
  const auto took = std::chrono::duration_cast<Millis>(clock_.monotonic() - begun);
  return std::max(kLeastPause, kPauseFactor * took);
}

/// The next keys to make anew; of a few pages of the blocked ones.
Result<std::set<std::string>> Rebuilder::choose(ReplicaStore& store) {
  std::set<std::string> wanted;
  std::size_t in_vain = 0;
  for (int page = 0; page < kPagesInAStep; ++page) {
    TRIBUTARY_ASSIGN(const auto blocked, store.blocked(cursor_, kBlockedAtOnce));
    for (const auto& [key, block] : blocked) {
      if (wanted.size() == kKeysInAPass || in_vain == kLooksInAStep) return wanted;
      cursor_ = key;
      if (!block.incomplete && !block.reason.starts_with(kRetyped)) continue;
      TRIBUTARY_ASSIGN(const Look now, look(store, key));
      if (again(key, now)) wanted.insert(key);
      else ++in_vain;
    }
    if (blocked.size() == kBlockedAtOnce) continue;
    cursor_.clear();
    break;
  }
  return wanted;
}

Result<Rebuilder::Look> Rebuilder::look(ReplicaStore& store, const std::string& key) {
  const KeyLoad load{key, {}};
  TRIBUTARY_ASSIGN(const auto loaded, store.load({&load, 1}));
  const LoadedKey& state = loaded.front();
  auto viewed = store.view(key, 0);
  const bool refused = state.refused || (!viewed && viewed.error().kind == ErrorKind::kPoison);
  if (refused) return Look{false, state.block, "refused"};
  TRIBUTARY_ASSIGN(const auto view, std::move(viewed));
  const std::string_view keyspace = keyspace_type(settings_.schema, key);
  const std::string type = keyspace.empty() ? state.type : std::string(keyspace);
  return Look{
      to_rebuild(state, keyspace) && !in_the_way(view.found, crdt::find_type(type), state.type),
      state.block, state.version + '\n' + state.damage + '\n' + view.found};
}

bool Rebuilder::again(const std::string& key, const Look& look) {
  if (!look.possible) return false;
  const auto found = hopeless_.find(key);
  if (found == hopeless_.end()) return true;
  const Hopeless& hopeless = found->second;
  const bool same = hopeless.standing == look.standing && hopeless.retries == look.block.retries;
  if (same && clock_.monotonic() < hopeless.until) return false;
  hopeless_.erase(found);
  return true;
}

Result<void> Rebuilder::pass(ReplicaStore& store, const std::set<std::string>& wanted,
                             const std::stop_token& stop) {
  log::info("keys are being rebuilt from the changelogs", {{"keys", wanted.size()}});
  TRIBUTARY_ASSIGN(const ReplicaProgress progress, certain_progress(store));
  RebuildPass pass(changelogs_, settings_.schema, progress);
  for (const std::string& key : wanted) pass.want(key);
  TRIBUTARY_TRY(pass.read_all(stop));
  tell(pass.unread());
  std::size_t made = 0;
  for (const std::string& key : wanted) {
    TRIBUTARY_ASSIGN(const std::string why, rebuild(store, pass, key, stop));
    if (why.empty()) ++made;
    else TRIBUTARY_TRY(give_up(store, key, why));
  }
  rebuilt_.add(static_cast<double>(made));
  log::info("keys were rebuilt from the changelogs",
            {{"keys", made}, {"not", wanted.size() - made}});
  return {};
}

void Rebuilder::tell(const std::map<OriginName, std::string>& unread) {
  for (const auto& [origin, reason] : unread) {
    const auto told = unread_.find(origin);
    if (told != unread_.end() && told->second == reason) continue;
    log::warn("a changelog cannot be read for the rebuilding of keys; those that need it wait",
              {{"origin", origin.value}, {"reason", reason}});
  }
  unread_ = unread;
}

/// Why it could not be made; empty when it was, or need not be any more.
Result<std::string> Rebuilder::rebuild(ReplicaStore& store, RebuildPass& pass,
                                       const std::string& key, const std::stop_token& stop) {
  for (int attempt = 1;; ++attempt) {
    TRIBUTARY_ASSIGN(const ReplicaProgress now, certain_progress(store));
    TRIBUTARY_ASSIGN(std::string missing, pass.catch_up(now.watermark, stop));
    if (!missing.empty()) return missing;
    pass.advance(now.watermark);
    const RebuiltKey& made = pass.keys().find(key)->second;
    if (!made.problem.empty()) return made.problem;
    const KeyLoad load{key, {}};
    TRIBUTARY_ASSIGN(const auto loaded, store.load({&load, 1}));
    if (!to_rebuild(loaded.front(), made.keyspace_type)) return std::string();
    const bool retyped = other_type(loaded.front().type, made.keyspace_type);
    const crdt::Type* type =
        made.type == nullptr && retyped ? crdt::find_type(made.keyspace_type) : made.type;
    if (type == nullptr && !loaded.front().damage.empty()) {
      return loaded.front().damage + "; no change to the key is in the changelogs: remove it";
    }
    auto viewed = store.view(key, 0);
    const bool refused =
        loaded.front().refused || (!viewed && viewed.error().kind == ErrorKind::kPoison);
    if (refused) return refused_reason(settings_.schema, key);
    TRIBUTARY_ASSIGN(const auto view, std::move(viewed));
    if (in_the_way(view.found, type, loaded.front().type)) {
      return "the key holds a Redis " + view.found +
             " that Tributary did not write; move it away: the key is then rebuilt";
    }
    auto done = commit_rebuilt(store, key, made, type, loaded.front(), pass.good_until(made));
    if (done) return std::string();
    if (done.error().kind != ErrorKind::kConflict) return fail(done.error());
    if (attempt == kAttempts) return std::string("it changes all the time; it is tried again");
  }
}

Result<void> Rebuilder::give_up(ReplicaStore& store, const std::string& key, std::string reason) {
  if (hopeless_.size() >= kHopelessKept) hopeless_.clear();
  TRIBUTARY_ASSIGN(const Look now, look(store, key));
  KeyBlock next = now.block;
  hopeless_[key] = {clock_.monotonic() + kHopelessFor, now.standing, next.retries};
  if (next.reason.starts_with(kRetyped)) reason = std::string(kRetyped) + reason;
  else if (!next.incomplete) return {};
  if (next.reason == reason) return {};
  log::error("a key could not be rebuilt", {{"key", key}, {"reason", reason}});
  next.reason = std::move(reason);
  const BlockCommit block{key, now.block.mark, next};
  auto told = store.commit({.advances = {},
                            .keys = {},
                            .blocks = {&block, 1},
                            .progress = {},
                            .parked = {},
                            .unparked = {},
                            .hlc = {}});
  if (!told && told.error().kind != ErrorKind::kConflict) return fail(told.error());
  return {};
}

}  // namespace tributary

#include <algorithm>

#include <tributary/base/log.h>
#include <tributary/consumer/group.h>
#include <tributary/consumer/rebuilder.h>

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

std::vector<std::string> ids_of(const std::vector<Parked>& parked) {
  std::vector<std::string> ids;
  for (const Parked& each : parked) {
    const bool beside = each.id == parked_id(each.origin, each.actor, Seq{}, each.key);
    if (!beside) ids.push_back(each.id);
  }
  return ids;
}

bool in_the_way(const std::string& found, const crdt::Type* type) {
  return type != nullptr && found != "none" && found != crdt::to_string(type->view);
}

/// Commits the key as it was made, unless something of it or of the replica has moved on.
Result<std::string> commit_rebuilt(ReplicaStore& store, const std::string& key,
                                   const RebuiltKey& made, const LoadedKey& loaded,
                                   const VersionVector& good_until) {
  TRIBUTARY_ASSIGN(const auto parked, store.parked_for(key, kBodiesAtOnce));
  const std::vector<std::string> ids = ids_of(parked);
  crdt::ViewEdits edits;
  KeyCommit keyed;
  if (made.type != nullptr) {
    edits = whole_view(*made.type, made.state);
    keyed = {key, made.type, loaded.version, &made.state, &edits, made.deferring, true, true};
  }
  const BlockCommit block{key, loaded.block.mark, std::nullopt};
  const std::size_t keys = made.type != nullptr ? 1 : 0;
  return store.commit({.steps = {},
                       .watermark_at_most = &good_until,
                       .keys = {&keyed, keys},
                       .blocks = {&block, 1},
                       .progress = {},
                       .parked = {},
                       .unparked = ids,
                       .hlc = {}});
}

}  // namespace

Rebuilder::Rebuilder(OpenReplica open_replica, RebuildPass::Changelogs changelogs,
                     const ConsumerSettings& settings, Clock& clock, Metrics& metrics)
    : open_replica_(std::move(open_replica)),
      changelogs_(std::move(changelogs)),
      settings_(settings),
      clock_(clock),
      rebuilt_(metrics.counter("tributary_consumer_keys_rebuilt_total",
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

/// The next incomplete keys, with the types their states have; a few pages of the blocked ones.
Result<std::map<std::string, std::string>> Rebuilder::choose(ReplicaStore& store) {
  std::map<std::string, std::string> wanted;
  std::size_t in_vain = 0;
  for (int page = 0; page < kPagesInAStep; ++page) {
    TRIBUTARY_ASSIGN(const auto blocked, store.blocked(cursor_, kBlockedAtOnce));
    for (const auto& [key, block] : blocked) {
      if (wanted.size() == kKeysInAPass || in_vain == kLooksInAStep) return wanted;
      cursor_ = key;
      if (!block.incomplete) continue;
      TRIBUTARY_ASSIGN(const Look now, look(store, key));
      if (again(key, now)) wanted[key] = now.type;
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
  TRIBUTARY_ASSIGN(const auto view, store.view(key, 0));
  const LoadedKey& state = loaded.front();
  const std::string_view keyspace = keyspace_type(settings_.schema, key);
  const std::string type = keyspace.empty() ? state.type : std::string(keyspace);
  return Look{state.type, view.found, in_the_way(view.found, crdt::find_type(type)), state.block,
              state.version + '\n' + state.damage + '\n' + view.found};
}

bool Rebuilder::again(const std::string& key, const Look& look) {
  if (look.in_the_way) return false;
  const auto found = hopeless_.find(key);
  if (found == hopeless_.end()) return true;
  const Hopeless& hopeless = found->second;
  const bool same = hopeless.standing == look.standing && hopeless.retries == look.block.retries;
  if (same && clock_.monotonic() < hopeless.until) return false;
  hopeless_.erase(found);
  return true;
}

Result<void> Rebuilder::pass(ReplicaStore& store, const std::map<std::string, std::string>& wanted,
                             const std::stop_token& stop) {
  log::info("keys are being rebuilt from the changelogs", {{"keys", wanted.size()}});
  TRIBUTARY_ASSIGN(const ReplicaProgress progress, certain_progress(store));
  RebuildPass pass(changelogs_, settings_.schema, progress);
  for (const auto& [key, type] : wanted) pass.want(key, type);
  TRIBUTARY_TRY(pass.read_all(stop));
  std::size_t made = 0;
  for (const auto& [key, type] : wanted) {
    TRIBUTARY_ASSIGN(const std::string why, rebuild(store, pass, key, stop));
    if (why.empty()) ++made;
    else TRIBUTARY_TRY(give_up(store, key, why));
  }
  rebuilt_.add(static_cast<double>(made));
  log::info("keys were rebuilt from the changelogs",
            {{"keys", made}, {"not", wanted.size() - made}});
  return {};
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
    if (!loaded.front().block.incomplete) return std::string();
    if (made.type == nullptr && !loaded.front().damage.empty()) {
      return loaded.front().damage + "; no change to the key is in the changelogs: remove it";
    }
    TRIBUTARY_ASSIGN(const auto view, store.view(key, 0));
    if (in_the_way(view.found, made.type)) {
      return "the key holds a Redis " + view.found +
             " that Tributary did not write; move it away: the key is then rebuilt";
    }
    auto done = commit_rebuilt(store, key, made, loaded.front(), pass.good_until(made));
    if (done) return std::string();
    if (done.error().kind != ErrorKind::kConflict) return fail(done.error());
    if (attempt == kAttempts) return std::string("it changes all the time; it is tried again");
  }
}

Result<void> Rebuilder::give_up(ReplicaStore& store, const std::string& key,
                                const std::string& reason) {
  if (hopeless_.size() >= kHopelessKept) hopeless_.clear();
  TRIBUTARY_ASSIGN(const Look now, look(store, key));
  KeyBlock next = now.block;
  hopeless_[key] = {clock_.monotonic() + kHopelessFor, now.standing, next.retries};
  if (!next.incomplete || next.reason == reason) return {};
  log::error("a key could not be rebuilt", {{"key", key}, {"reason", reason}});
  next.reason = reason;
  const BlockCommit block{key, now.block.mark, next};
  auto told = store.commit({.steps = {},
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

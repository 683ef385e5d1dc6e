#include "connectors/replica/memory/replica_store.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "connectors/replica/memory/replica_commit.h"
#include "connectors/replica/memory/replica_disk.h"
#include "connectors/replica/memory/replica_reading.h"

namespace tributary {

struct MemoryReplica::Shared {
  mutable std::mutex mutex;
  ReplicaDisk disk;
  std::uint64_t versions = 0;  ///< not on the disk: a roll-back does not bring a version back
  std::uint64_t fields_loaded = 0;
  std::vector<std::size_t> bodies_read;  ///< by each call
  FaultHook hook;
  std::set<std::string, std::less<>> refused;  ///< keys
};

namespace {

using Call = MemoryReplica::Call;
using Fault = MemoryReplica::Fault;

tl::unexpected<Error> away(std::string_view why) {
  return fail(ErrorKind::kTransient, "replica in memory: " + std::string(why));
}

/// Up to `limit` of a map's entries behind `after`.
template <typename Map, typename Each>
void page(const Map& map, std::string_view after, std::size_t limit, Each each) {
  auto at = after.empty() ? map.begin() : map.upper_bound(after);
  for (; at != map.end() && limit > 0; ++at, --limit) each(*at);
}

class MemoryReplicaStore final : public ReplicaStore {
 public:
  explicit MemoryReplicaStore(std::shared_ptr<MemoryReplica::Shared> shared)
      : shared_(std::move(shared)) {}

  Result<std::vector<std::string>> move_strays_aside() override {
    return std::vector<std::string>();  // nobody else can write here
  }
  Result<ReplicaProgress> progress() override {
    return call(Call::kProgress, [&]() -> Result<ReplicaProgress> { return disk().progress; });
  }

  Result<ProgressSample> sample(std::span<const ActorId> actors) override {
    return call(Call::kToken,
                [&]() -> Result<ProgressSample> { return sample_of(disk().progress, actors); });
  }

  Result<std::vector<LoadedKey>> load(std::span<const KeyLoad> loads) override {
    return call(Call::kLoad, [&]() -> Result<std::vector<LoadedKey>> {
      std::vector<LoadedKey> loaded;
      for (const KeyLoad& load : loads) {
        loaded.push_back(load_key(disk(), load));
        shared_->fields_loaded += loaded.back().state.fields().size();
      }
      return loaded;
    });
  }

  Result<std::string> token() override {
    return call(Call::kToken, [&]() -> Result<std::string> { return disk().progress.token; });
  }

  Result<ReplicaContext> context() override {
    return call(Call::kContext, [&]() -> Result<ReplicaContext> { return read_context(disk()); });
  }

  Result<std::string> commit(const ReplicaCommit& commit) override {
    return call(Call::kCommit, [&]() -> Result<std::string> {
      TRIBUTARY_TRY(check(disk(), commit));
      for (const KeyCommit& key : commit.keys) {
        if (refused(key.key)) return fail(ErrorKind::kConflict, "the user may not touch the keys");
      }
      shared_->versions += 0x9e3779b97f4a7c15U;  // an odd step visits all 2^64 values
      const std::string nonce = ActorId{shared_->versions}.hex();
      if (halfway_) {
        write_half(disk(), commit, nonce, shared_->versions >> 32);
        return away("it refused a command in the midst of a commit");
      }
      write(disk(), commit, nonce);
      return commit.expected_token ? nonce : std::string();
    });
  }

  Result<std::vector<ChangedView>> changed_views(
      std::span<const std::pair<std::string_view, crdt::ViewKind>> views) override {
    return call(Call::kChangedViews, [&]() -> Result<std::vector<ChangedView>> {
      std::vector<ChangedView> all;
      for (const auto& [key, kind] : views) {
        if (refused(key)) all.push_back({.key = std::string(key), .found = {}, .refused = true});
        else if (auto changed = changed_view(disk(), key, kind)) all.push_back(std::move(*changed));
      }
      return all;
    });
  }

  Result<std::vector<std::string>> deferring_keys(std::size_t limit) override {
    return call(Call::kDeferringKeys, [&]() -> Result<std::vector<std::string>> {
      const auto& all = disk().deferring;
      const std::size_t count = std::min(limit, all.size());
      // Starts somewhere else each time, so that no key stands before the others for ever.
      const std::size_t first = all.size() > count ? turn_++ * count % all.size() : 0;
      const std::vector<std::string> keys(all.begin(), all.end());
      std::vector<std::string> some;
      for (std::size_t i = 0; i < count; ++i) some.push_back(keys[(first + i) % keys.size()]);
      return some;
    });
  }

  Result<KeyReading> read(std::string_view key) override {
    return call(Call::kRead, [&]() -> Result<KeyReading> { return read_key(disk(), key); });
  }

  Result<std::vector<ParkedEntry>> parked(std::string_view after, std::size_t limit) override {
    return call(Call::kParked, [&]() -> Result<std::vector<ParkedEntry>> {
      std::vector<ParkedEntry> some;
      page(disk().parked, after, limit, [&](const auto& each) { some.push_back(each.second); });
      shared_->bodies_read.push_back(some.size());
      return some;
    });
  }

  Result<std::vector<ParkedSize>> parked_sizes(std::string_view after, std::size_t limit) override {
    return call(Call::kParked, [&]() -> Result<std::vector<ParkedSize>> {
      std::vector<ParkedSize> some;
      page(disk().parked, after, limit, [&](const auto& each) {
        some.push_back({each.first, each.second.bytes.size()});
      });
      return some;
    });
  }

  Result<std::vector<ParkedEntry>> parked_for(std::string_view key, std::size_t limit) override {
    return call(Call::kParked, [&]() -> Result<std::vector<ParkedEntry>> {
      std::vector<ParkedEntry> some;
      const auto ids = disk().parked_of_key.find(key);
      if (ids == disk().parked_of_key.end()) return some;
      page(ids->second, {}, limit, [&](const auto& id) { some.push_back(disk().parked.at(id)); });
      shared_->bodies_read.push_back(some.size());
      return some;
    });
  }

  Result<std::uint64_t> parked_count() override {
    return call(Call::kParked, [&]() -> Result<std::uint64_t> {
      const auto& blocked = disk().blocked;
      const auto incomplete = std::count_if(
          blocked.begin(), blocked.end(), [](const auto& each) { return each.second.incomplete; });
      const auto parked = disk().parked.size() + static_cast<std::uint64_t>(incomplete);
      return std::max<std::uint64_t>(parked, blocked.size());
    });
  }

  Result<std::vector<std::string>> discarded() override {
    using Ids = std::vector<std::string>;
    return call(Call::kParked, [&]() -> Result<Ids> {
      return Ids(disk().discarded.begin(), disk().discarded.end());
    });
  }

  Result<std::vector<std::pair<std::string, KeyBlock>>> blocked(std::string_view after,
                                                                std::size_t limit) override {
    using Blocked = std::vector<std::pair<std::string, KeyBlock>>;
    return call(Call::kParked, [&]() -> Result<Blocked> {
      Blocked some;
      page(disk().blocked, after, limit, [&](const auto& each) { some.push_back(each); });
      return some;
    });
  }

  Result<Walk> walk(std::string_view cursor, std::size_t limit) override {
    return call(Call::kWalk, [&]() -> Result<Walk> {
      Walk step;
      page(disk().states, cursor, limit,
           [&](const auto& each) { step.keys.push_back(each.first); });
      if (step.keys.size() == limit && limit > 0) step.cursor = step.keys.back();
      return step;
    });
  }

  Result<ViewContent> view(std::string_view key, std::size_t members) override {
    return call(Call::kView, [&]() -> Result<ViewContent> {
      if (refused(key)) return fail(ErrorKind::kPoison, "the user may not touch the key");
      const auto found = disk().views.find(key);
      if (found == disk().views.end()) return ViewContent{"none", 0, {}, true};
      const MemoryView& view = found->second;
      ViewContent content{std::string(crdt::to_string(view.kind)), view.size(), {}, false};
      if (content.size > members) return content;
      auto values = view.values();
      std::size_t bytes = 0;
      for (const auto& [name, value] : values) bytes += name.size() + value.size();
      content.whole = bytes <= kMostViewBytes;
      if (content.whole) content.values = std::move(values);
      return content;
    });
  }

  /// Time does not pass here: forget_consumer() ends a claim.
  Result<void> claim(const RegionName& region, Millis /*time*/) override {
    return call(Call::kClaim, [&]() -> Result<void> {
      auto& consumer = disk().consumer;
      if (consumer.value_or(region) != region) {
        return fail(ErrorKind::kFatal, "memory replica: " + shared_replica(region, *consumer));
      }
      consumer = region;
      return {};
    });
  }

  Result<std::optional<RegionName>> claimed_by() override {
    return call(Call::kClaim,
                [&]() -> Result<std::optional<RegionName>> { return disk().consumer; });
  }

  Result<std::vector<std::string>> warnings() override {
    return call(Call::kWarnings, [&]() -> Result<std::vector<std::string>> { return {}; });
  }

 private:
  [[nodiscard]] ReplicaDisk& disk() { return shared_->disk; }
  [[nodiscard]] bool refused(std::string_view key) { return shared_->refused.contains(key); }

  /// Does `work` under the lock, with the faults that the hook asks for.
  template <typename Work>
  auto call(Call which, Work work) -> decltype(work()) {
    const std::lock_guard lock(shared_->mutex);
    if (dead_) return away("the session is dead; open a new one");
    const Fault fault = shared_->hook ? shared_->hook(which) : Fault::kNone;
    dead_ = fault != Fault::kNone;
    if (fault == Fault::kBefore) return away("it went away before the call");
    halfway_ = fault == Fault::kHalfway;
    auto result = work();
    if (fault == Fault::kAfter) return away("it went away before its answer");
    return result;
  }

  std::shared_ptr<MemoryReplica::Shared> shared_;
  std::size_t turn_ = 0;
  bool dead_ = false;
  bool halfway_ = false;  ///< a commit in this call stops in its midst
};

}  // namespace

MemoryReplica::MemoryReplica(std::uint64_t seed) : shared_(std::make_shared<Shared>()) {
  shared_->versions = seed;
}

MemoryReplica::~MemoryReplica() = default;

Result<std::unique_ptr<ReplicaStore>> MemoryReplica::open() {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->hook && shared_->hook(Call::kOpen) != Fault::kNone) return away("cannot connect");
  return std::make_unique<MemoryReplicaStore>(shared_);
}

void MemoryReplica::set_fault_hook(FaultHook hook) {
  const std::lock_guard lock(shared_->mutex);
  shared_->hook = std::move(hook);
}

MemoryReplica::Snapshot MemoryReplica::snapshot() const {
  const std::lock_guard lock(shared_->mutex);
  return std::make_shared<const ReplicaDisk>(shared_->disk);
}

void MemoryReplica::restore(const Snapshot& snapshot) {
  const std::lock_guard lock(shared_->mutex);
  shared_->disk = *snapshot;
}

void MemoryReplica::flush() {
  const std::lock_guard lock(shared_->mutex);
  shared_->disk = {};
}

void MemoryReplica::forget_consumer() {
  const std::lock_guard lock(shared_->mutex);
  shared_->disk.consumer.reset();
}

void MemoryReplica::tamper(std::string_view key, crdt::ViewKind kind, std::string_view member) {
  const std::lock_guard lock(shared_->mutex);
  shared_->disk.views.erase(std::string(key));
  const bool score = kind == crdt::ViewKind::kSortedSet;
  apply(shared_->disk, key, kind, {crdt::put({member, score ? "1" : member}, kind)});
}

void MemoryReplica::refuse(std::set<std::string, std::less<>> keys) {
  const std::lock_guard lock(shared_->mutex);
  shared_->refused = std::move(keys);
}

void MemoryReplica::drop_view(std::string_view key) {
  const std::lock_guard lock(shared_->mutex);
  shared_->disk.views.erase(std::string(key));
}

void MemoryReplica::damage(std::string_view key, Damage how) {
  const std::lock_guard lock(shared_->mutex);
  MemoryState& state = shared_->disk.states[std::string(key)];
  if (how == Damage::kType) {
    state.type = state.type == "counter" ? "set" : "counter";
    return;
  }
  if (how != Damage::kBytes) state = {};
  if (how == Damage::kStray) state.stray = "string";
  if (how == Damage::kNoVersion) state.fields = {{"field", "value"}};
  if (how == Damage::kBytes) {
    for (auto& field : state.fields) field.second.assign("\xff");
  }
}

void MemoryReplica::drop_block(std::string_view key) {
  const std::lock_guard lock(shared_->mutex);
  shared_->disk.blocked.erase(std::string(key));
}

void MemoryReplica::drop_parked(std::string_view key) {
  const std::lock_guard lock(shared_->mutex);
  ReplicaDisk& disk = shared_->disk;
  const auto ids = disk.parked_of_key.find(key);
  if (ids == disk.parked_of_key.end()) return;
  for (const std::string& id : ids->second) disk.parked.erase(id);
  disk.parked_of_key.erase(ids);
}

void MemoryReplica::drop_state(std::string_view key) {
  const std::lock_guard lock(shared_->mutex);
  shared_->disk.states.erase(std::string(key));
}

void MemoryReplica::meddle(const std::function<void(ReplicaProgress&)>& with) {
  const std::lock_guard lock(shared_->mutex);
  with(shared_->disk.progress);
}

std::string MemoryReplica::dump() const {
  const std::lock_guard lock(shared_->mutex);
  return tributary::dump(shared_->disk);
}

std::uint64_t MemoryReplica::fields_loaded() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->fields_loaded;
}

std::vector<std::size_t> MemoryReplica::take_bodies_read() {
  const std::scoped_lock lock(shared_->mutex);
  return std::exchange(shared_->bodies_read, {});
}

}  // namespace tributary

#include <algorithm>
#include <mutex>
#include <tuple>

#include <tributary/base/check.h>
#include <tributary/connectors/memory/replica_disk.h>
#include <tributary/connectors/memory/replica_store.h>

namespace tributary {

struct MemoryReplica::Shared {
  mutable std::mutex mutex;
  ReplicaDisk disk;
  std::uint64_t versions = 0;  ///< not on the disk: a roll-back does not bring a version back
  std::uint64_t fields_loaded = 0;
  FaultHook hook;
};

namespace {

using Call = MemoryReplica::Call;
using Fault = MemoryReplica::Fault;

tl::unexpected<Error> conflict(std::string what) {
  return fail(ErrorKind::kConflict,
              "replica in memory: another writer was first, or a view has a foreign type: " + what);
}

tl::unexpected<Error> away(std::string_view why) {
  return fail(ErrorKind::kTransient, "replica in memory: " + std::string(why));
}

LoadedKey load_key(const ReplicaDisk& disk, const KeyLoad& load) {
  LoadedKey key;
  static const std::map<std::string, std::string> kNone;
  const auto state = disk.states.find(load.key);
  const bool known = state != disk.states.end();
  const auto& fields = known ? state->second.fields : kNone;
  if (known) {
    key.version = state->second.version;
    key.type = state->second.type;
  }
  if (load.fields.all) {
    key.state.set_complete();
    for (const auto& [name, value] : fields) key.state.load(name, value);
  }
  for (const std::string& name : load.fields.names) {
    if (load.fields.all) break;
    const auto field = fields.find(name);
    key.state.load(name, field == fields.end() ? std::nullopt : std::optional(field->second));
  }
  key.state.settle();
  return key;
}

Result<void> check_preconditions(const ReplicaDisk& disk, const ReplicaCommit& commit) {
  for (const WatermarkStep& step : commit.steps) {
    CHECK(step.from <= step.to);
    if (disk.progress.watermark.get(step.actor) != step.from) {
      return conflict("watermark " + step.actor.hex());
    }
  }
  for (const KeyCommit& key : commit.keys) {
    const auto state = disk.states.find(key.key);
    const std::string_view version =
        state == disk.states.end() ? std::string_view{} : state->second.version;
    if (version != key.expected_version) return conflict("version " + std::string(key.key));
    const auto view = disk.views.find(key.key);
    if (!key.edits->empty() && view != disk.views.end() && view->second.kind != key.type->view) {
      return conflict("view " + std::string(key.key));
    }
  }
  return {};
}

void write_key(ReplicaDisk& disk, const KeyCommit& key, const std::string& nonce) {
  MemoryState& state = disk.states[std::string(key.key)];
  state.type = key.type->name;
  state.version = state.type + " " + nonce;
  for (const auto& field : key.state->fields()) {
    if (!field.changed) continue;
    if (field.value) state.fields[field.name] = *field.value;
    else state.fields.erase(field.name);
  }
  apply(disk, key.key, key.type->view, *key.edits);
  if (key.deferring) disk.deferring.emplace(key.key);
  else if (const auto listed = disk.deferring.find(key.key); listed != disk.deferring.end()) {
    disk.deferring.erase(listed);
  }
}

void write(ReplicaDisk& disk, const ReplicaCommit& commit, const std::string& nonce) {
  for (const KeyCommit& key : commit.keys) write_key(disk, key, nonce);
  for (const WatermarkStep& step : commit.steps) {
    disk.progress.watermark.raise(step.actor, step.to);
  }
  for (const auto& [origin, progress] : commit.progress) disk.progress.origins[origin] = progress;
  for (const Parked& parked : commit.parked) disk.parked[parked.id] = parked;
  for (const std::string& id : commit.unparked) disk.parked.erase(id);
  disk.progress.hlc = std::max(disk.progress.hlc, commit.hlc);
}

KeyReading read_key(const ReplicaDisk& disk, std::string_view key) {
  KeyReading reading;
  reading.context = disk.progress.watermark;
  if (const auto state = disk.states.find(key); state != disk.states.end()) {
    reading.type = state->second.type;
    if (const auto* type = crdt::find_type(reading.type)) reading.view = type->view;
  }
  if (const auto view = disk.views.find(key); view != disk.views.end()) {
    reading.view = view->second.kind;
    reading.exists = true;
    reading.values = view->second.values();
  }
  return reading;
}

class MemoryReplicaStore final : public ReplicaStore {
 public:
  explicit MemoryReplicaStore(std::shared_ptr<MemoryReplica::Shared> shared)
      : shared_(std::move(shared)) {}

  Result<ReplicaProgress> progress() override {
    return call(Call::kProgress, [&]() -> Result<ReplicaProgress> { return disk().progress; });
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

  Result<void> commit(const ReplicaCommit& commit) override {
    return call(Call::kCommit, [&]() -> Result<void> {
      TRIBUTARY_TRY(check_preconditions(disk(), commit));
      shared_->versions += 0x9e3779b97f4a7c15U;  // an odd step visits all 2^64 values
      write(disk(), commit, ActorId{shared_->versions}.hex());
      return {};
    });
  }

  Result<std::vector<ForeignView>> foreign_views(
      std::span<const std::pair<std::string_view, crdt::ViewKind>> views) override {
    return call(Call::kForeignViews, [&]() -> Result<std::vector<ForeignView>> {
      std::vector<ForeignView> foreign;
      for (const auto& [key, kind] : views) {
        const auto view = disk().views.find(key);
        if (view == disk().views.end() || view->second.kind == kind) continue;
        foreign.push_back({std::string(key), std::string(crdt::to_string(view->second.kind))});
      }
      return foreign;
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

  Result<std::vector<Parked>> parked() override {
    return call(Call::kParked, [&]() -> Result<std::vector<Parked>> {
      std::vector<Parked> all;
      for (const auto& [id, parked] : disk().parked) all.push_back(parked);
      std::sort(all.begin(), all.end(), [](const Parked& a, const Parked& b) {
        return std::tie(a.parked_at, a.id) < std::tie(b.parked_at, b.id);
      });
      return all;
    });
  }

  Result<std::uint64_t> parked_count() override {
    return call(Call::kParked, [&]() -> Result<std::uint64_t> { return disk().parked.size(); });
  }

 private:
  [[nodiscard]] ReplicaDisk& disk() { return shared_->disk; }

  /// Does `work` under the lock, with the faults that the hook asks for.
  template <typename Work>
  auto call(Call which, Work work) -> decltype(work()) {
    const std::lock_guard lock(shared_->mutex);
    if (dead_) return away("the session is dead; open a new one");
    const Fault fault = shared_->hook ? shared_->hook(which) : Fault::kNone;
    dead_ = fault != Fault::kNone;
    if (fault == Fault::kBefore) return away("it went away before the call");
    auto result = work();
    if (fault == Fault::kAfter) return away("it went away before its answer");
    return result;
  }

  std::shared_ptr<MemoryReplica::Shared> shared_;
  std::size_t turn_ = 0;
  bool dead_ = false;
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

void MemoryReplica::tamper(std::string_view key, crdt::ViewKind kind, std::string_view member) {
  const std::lock_guard lock(shared_->mutex);
  using crdt::ViewEdit;
  shared_->disk.views.erase(std::string(key));
  const bool score = kind == crdt::ViewKind::kSortedSet;
  const std::string value = score ? "1" : std::string(member);
  apply(shared_->disk, key, kind, {{ViewEdit::Action::kPut, std::string(member), value}});
}

std::string MemoryReplica::dump() const {
  const std::lock_guard lock(shared_->mutex);
  return tributary::dump(shared_->disk);
}

std::uint64_t MemoryReplica::fields_loaded() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->fields_loaded;
}

}  // namespace tributary

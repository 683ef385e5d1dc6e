#include "connectors/replica/memory/replica_reading.h"

namespace tributary {
namespace {

/// What is wrong with a stored state.
std::string damage_of(const MemoryState& state, const crdt::State& loaded) {
  if (!state.stray.empty()) return "a " + state.stray + " of another program stands in its place";
  if (state.version.empty()) return "its state has no version";
  const crdt::Type* type = crdt::find_type(state.type);
  if (type == nullptr || type->intact(loaded)) return {};
  return "its bytes are no state of a " + state.type;
}

crdt::State select(const std::map<std::string, std::string>& fields,
                   const crdt::FieldSelection& selection) {
  crdt::State state;
  if (selection.all) {
    state.set_complete();
    for (const auto& [name, value] : fields) state.load(name, value);
  }
  for (const std::string& name : selection.names) {
    if (selection.all) break;
    const auto field = fields.find(name);
    state.load(name, field == fields.end() ? std::nullopt : std::optional(field->second));
  }
  state.settle();
  return state;
}

/// More lowered keys than these are not told one by one.
constexpr std::size_t kLoweredKeys = 1000;

}  // namespace

LoadedKey load_key(const ReplicaDisk& disk, const KeyLoad& load) {
  static const MemoryState kNone;
  LoadedKey key;
  const auto found = disk.states.find(load.key);
  const MemoryState& state = found == disk.states.end() ? kNone : found->second;
  key.version = state.version;
  key.type = state.type;
  key.state = select(state.fields, load.fields);
  if (found != disk.states.end()) key.damage = damage_of(state, key.state);
  if (!key.damage.empty()) key.state = select({}, load.fields);
  if (const auto block = disk.blocked.find(load.key); block != disk.blocked.end()) {
    key.block = block->second;
  }
  return key;
}

KeyReading read_key(const ReplicaDisk& disk, std::string_view key) {
  KeyReading reading;
  reading.context = disk.progress.watermark;
  const LoadedKey loaded = load_key(disk, {key, {true, {}}});
  reading.type = loaded.type;
  if (const auto* type = crdt::find_type(reading.type)) reading.view = type->view;
  if (!loaded.damage.empty()) reading.problem = "damaged: " + loaded.damage;
  if (!loaded.block.mark.empty()) {
    reading.problem = "blocked: " + loaded.block.reason;
    reading.context = lower(std::move(reading.context), loaded.block.before);
  }
  if (const auto view = disk.views.find(key); view != disk.views.end()) {
    reading.view = view->second.kind;
    reading.exists = true;
    reading.values = view->second.values();
  }
  return reading;
}

ProgressSample sample_of(const ReplicaProgress& progress, std::span<const ActorId> actors) {
  ProgressSample sample{.token = progress.token,
                        .watermark = {},
                        .actors = {},
                        .watermark_size = progress.watermark.size(),
                        .actors_size = progress.actors.size()};
  for (const ActorId actor : actors) {
    sample.watermark.raise(actor, progress.watermark.get(actor));
    const auto record = progress.actors.find(actor);
    if (record != progress.actors.end()) sample.actors.insert(*record);
  }
  return sample;
}

ReplicaContext read_context(const ReplicaDisk& disk) {
  ReplicaContext context{disk.progress.watermark, disk.progress.hlc, {}};
  const bool one_by_one = disk.blocked.size() <= kLoweredKeys;
  for (const auto& [key, block] : disk.blocked) {
    if (one_by_one) context.lowered.emplace(key, block.before);
    else context.watermark = lower(std::move(context.watermark), block.before);
  }
  return context;
}

}  // namespace tributary

#include <string>

#include <tributary/consumer/pruning.h>

namespace tributary {
namespace {

constexpr std::size_t kKeysAtOnce = 256;

/// Loads one key's fields; its version must still be `version` if that is given.
Result<LoadedKey> load_one(ReplicaStore& store, const std::string& key,
                           crdt::FieldSelection fields) {
  const KeyLoad wanted{key, std::move(fields)};
  TRIBUTARY_ASSIGN(auto loaded, store.load({&wanted, 1}));
  return std::move(loaded.front());
}

Result<void> commit_pruned(ReplicaStore& store, const std::string& key, const crdt::Type& type,
                           const LoadedKey& loaded, bool deferring) {
  const crdt::ViewEdits none;
  const KeyCommit commit{key, &type, loaded.version, &loaded.state, &none, deferring};
  auto done = store.commit(ReplicaCommit{
      .steps = {}, .keys = {&commit, 1}, .progress = {}, .parked = {}, .unparked = {}, .hlc = {}});
  if (!done && done.error().kind == ErrorKind::kConflict) return {};  // next time
  return done;
}

Result<bool> prune_key(ReplicaStore& store, const std::string& key,
                       const VersionVector& watermark) {
  TRIBUTARY_ASSIGN(LoadedKey head, load_one(store, key, {}));
  const crdt::Type* type = crdt::find_type(head.type);
  if (type == nullptr) return true;
  TRIBUTARY_ASSIGN(head, load_one(store, key, {false, {std::string(type->head)}}));
  TRIBUTARY_ASSIGN(LoadedKey loaded, load_one(store, key, type->deferred(head.state)));
  if (loaded.version != head.version) return true;
  const bool deferring = type->prune(loaded.state, watermark).deferring;
  bool changed = !deferring;
  for (const auto& field : loaded.state.fields()) changed = changed || field.changed;
  if (changed) TRIBUTARY_TRY(commit_pruned(store, key, *type, loaded, deferring));
  return deferring;
}

}  // namespace

Result<bool> prune_deferred(ReplicaStore& store, const VersionVector& watermark) {
  TRIBUTARY_ASSIGN(const auto keys, store.deferring_keys(kKeysAtOnce));
  bool left = keys.size() == kKeysAtOnce;
  for (const std::string& key : keys) {
    TRIBUTARY_ASSIGN(const bool deferring, prune_key(store, key, watermark));
    left = left || deferring;
  }
  return left;
}

}  // namespace tributary

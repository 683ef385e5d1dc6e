#include <algorithm>
#include <random>

#include <tributary/base/check.h>
#include <tributary/connectors/redis/commit_arguments.h>
#include <tributary/connectors/redis/commit_script.h>
#include <tributary/connectors/redis/connection.h>
#include <tributary/connectors/redis/layout.h>
#include <tributary/connectors/redis/reading.h>
#include <tributary/connectors/redis/replica_store.h>

namespace tributary::redis {
namespace {

using crdt::ViewKind;

// One pipeline's bounds, so that no more than two pipelines of answers are held in memory.
constexpr std::size_t kKeysAtOnce = 1000;
constexpr std::size_t kFieldsAtOnce = 10'000;

// KEYS: watermark, progress, hlc.
constexpr std::string_view kProgressScript =
    "return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]),"
    " redis.call('GET', KEYS[3])}";

/// Seeded by the machine once a connection: asking it for every commit costs a tenth of the commit.
std::mt19937_64 seeded() {
  std::random_device device;
  return std::mt19937_64((std::uint64_t{device()} << 32) | device());
}

std::string whole_state_key(std::string_view key) {
  const StateKey state = state_key(key);
  return std::string(state.before).append(state.key).append(state.after);
}

class RedisReplicaStore final : public ReplicaStore {
 public:
  explicit RedisReplicaStore(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

  Result<void> load_script() {
    TRIBUTARY_ASSIGN(const Reply sha, connection_->call({"SCRIPT", "LOAD", kCommitScript}));
    script_ = text(*sha);
    return {};
  }

  Result<ReplicaProgress> progress() override;
  Result<std::vector<LoadedKey>> load(std::span<const KeyLoad> loads) override;
  Result<void> commit(const ReplicaCommit& commit) override;
  Result<std::vector<ForeignView>> foreign_views(
      std::span<const std::pair<std::string_view, ViewKind>> views) override;
  Result<std::vector<std::string>> deferring_keys(std::size_t limit) override;
  Result<KeyReading> read(std::string_view key) override;
  Result<std::vector<Parked>> parked() override;
  Result<std::uint64_t> parked_count() override;

 private:
  std::size_t queue_some(std::span<const KeyLoad> loads);
  Result<LoadedKey> receive_load(const crdt::FieldSelection& selection);
  Result<VersionVector> decode_watermark(const redisReply& pairs) const;
  [[nodiscard]] tl::unexpected<Error> damaged(std::string_view key) const;

  std::unique_ptr<Connection> connection_;
  Arguments arguments_;
  std::mt19937_64 nonces_ = seeded();
  std::string script_;
};

tl::unexpected<Error> RedisReplicaStore::damaged(std::string_view key) const {
  return fail(ErrorKind::kFatal, connection_->where() + std::string(key) +
                                     " holds what Tributary did not write; restore it, or flush "
                                     "the replica to build it again");
}

// ---- progress ------------------------------------------------------------------------------

Result<VersionVector> RedisReplicaStore::decode_watermark(const redisReply& pairs) const {
  VersionVector watermark;
  for (std::size_t i = 0; i + 1 < size(pairs); i += 2) {
    const auto actor = ActorId::from_hex(text(at(pairs, i)));
    const auto seq = parse_u64(text(at(pairs, i + 1)));
    if (!actor || !seq) return damaged(kWatermarkKey);
    watermark.raise(*actor, Seq{*seq});
  }
  return watermark;
}

Result<ReplicaProgress> RedisReplicaStore::progress() {
  TRIBUTARY_ASSIGN(const Reply reply, connection_->call({"EVAL", kProgressScript, "3",
                                                         kWatermarkKey, kProgressKey, kHlcKey}));
  ReplicaProgress progress;
  TRIBUTARY_ASSIGN(progress.watermark, decode_watermark(at(*reply, 0)));
  const redisReply& origins = at(*reply, 1);
  for (std::size_t i = 0; i + 1 < size(origins); i += 2) {
    const auto origin = decode_progress(text(at(origins, i + 1)));
    if (!origin) return damaged(kProgressKey);
    progress.origins.emplace(OriginName{std::string(text(at(origins, i)))}, *origin);
  }
  if (const redisReply& hlc = at(*reply, 2); !is_nil(hlc)) {
    const auto number = parse_u64(text(hlc));
    if (!number) return damaged(kHlcKey);
    progress.hlc = Hlc{*number};
  }
  return progress;
}

// ---- keys ----------------------------------------------------------------------------------

/// Queues the loads of one pipeline and tells how many they are.
std::size_t RedisReplicaStore::queue_some(std::span<const KeyLoad> loads) {
  std::size_t keys = 0;
  std::size_t fields = 0;
  while (keys < loads.size() && keys < kKeysAtOnce && fields < kFieldsAtOnce) {
    const KeyLoad& load = loads[keys++];
    const StateKey state = state_key(load.key);
    arguments_.clear();
    arguments_.add_joined(state.before, state.key, state.after);
    if (load.fields.all) {
      connection_->queue({"HGETALL"}, arguments_);
      fields += kFieldsAtOnce / 8;  // who knows how many there are
      continue;
    }
    arguments_.add(kVersionField);
    for (const std::string& name : load.fields.names) arguments_.add_joined(kFieldPrefix, name, {});
    connection_->queue({"HMGET"}, arguments_);
    fields += load.fields.names.size();
  }
  return keys;
}

void load_all(LoadedKey& key, const redisReply& pairs) {
  key.state.set_complete();
  for (std::size_t i = 0; i + 1 < size(pairs); i += 2) {
    const std::string_view name = text(at(pairs, i));
    const std::string_view value = text(at(pairs, i + 1));
    if (name == kVersionField) key.version = value;
    else key.state.load(std::string(name.substr(kFieldPrefix.size())), std::string(value));
  }
}

Result<LoadedKey> RedisReplicaStore::receive_load(const crdt::FieldSelection& selection) {
  TRIBUTARY_ASSIGN(const Reply reply, connection_->receive());
  LoadedKey key;
  if (selection.all) {
    load_all(key, *reply);
  } else {
    key.version = text(at(*reply, 0));
    for (std::size_t i = 0; i < selection.names.size(); ++i) {
      const redisReply& value = at(*reply, i + 1);
      if (is_nil(value)) key.state.load(selection.names[i], std::nullopt);
      else key.state.load(selection.names[i], std::string(text(value)));
    }
  }
  key.type = type_of_version(key.version);
  key.state.settle();
  return key;
}

Result<std::vector<LoadedKey>> RedisReplicaStore::load(std::span<const KeyLoad> loads) {
  std::vector<LoadedKey> loaded;
  loaded.reserve(loads.size());
  std::size_t awaited = queue_some(loads);
  while (awaited > 0) {
    TRIBUTARY_TRY(connection_->send());
    // The next pipeline is under way while the answers to this one are decoded.
    const std::size_t end = loaded.size() + awaited;
    awaited = queue_some(loads.subspan(end));
    if (awaited > 0) TRIBUTARY_TRY(connection_->send());
    while (loaded.size() < end) {
      TRIBUTARY_ASSIGN(LoadedKey key, receive_load(loads[loaded.size()].fields));
      loaded.push_back(std::move(key));
    }
  }
  return loaded;
}

Result<void> RedisReplicaStore::commit(const ReplicaCommit& commit) {
  build_commit(arguments_, commit, nonces_());
  auto reply = connection_->call({"EVALSHA", script_}, arguments_);
  if (!reply && reply.error().message.starts_with("NOSCRIPT")) {
    TRIBUTARY_TRY(load_script());  // Redis was restarted or its script cache flushed
    reply = connection_->call({"EVALSHA", script_}, arguments_);
  }
  if (!reply) return fail(std::move(reply).error());
  const std::string_view answer = text(**reply);
  if (answer == "OK") return {};
  return fail(ErrorKind::kConflict,
              connection_->where() +
                  "another writer was first, or a view has a foreign type: " + std::string(answer));
}

Result<std::vector<ForeignView>> RedisReplicaStore::foreign_views(
    std::span<const std::pair<std::string_view, ViewKind>> views) {
  std::vector<ForeignView> foreign;
  while (!views.empty()) {
    const auto some = views.first(std::min(views.size(), kKeysAtOnce));
    for (const auto& [key, kind] : some) connection_->queue({"TYPE", key});
    TRIBUTARY_TRY(connection_->send());
    for (const auto& [key, kind] : some) {
      TRIBUTARY_ASSIGN(const Reply reply, connection_->receive());
      const std::string_view found = text(*reply);
      if (found == "none" || found == crdt::to_string(kind)) continue;
      foreign.push_back({std::string(key), std::string(found)});
    }
    views = views.subspan(some.size());
  }
  return foreign;
}

Result<std::vector<std::string>> RedisReplicaStore::deferring_keys(std::size_t limit) {
  // Random ones, so that a key that cannot be pruned does not stand before the others for ever.
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection_->call({"SRANDMEMBER", kDeferringKey, std::to_string(limit)}));
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < size(*reply); ++i) keys.emplace_back(text(at(*reply, i)));
  return keys;
}

Result<KeyReading> RedisReplicaStore::read(std::string_view key) {
  const std::string state = whole_state_key(key);
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection_->call({"EVAL", kReadScript, "3", key, state, kWatermarkKey}));
  KeyReading reading;
  reading.type = type_of_version(text(at(*reply, 2)));
  TRIBUTARY_ASSIGN(reading.context, decode_watermark(at(*reply, 3)));
  const std::string_view found = text(at(*reply, 0));
  if (found == "none") {
    const crdt::Type* type = crdt::find_type(reading.type);
    if (type != nullptr) reading.view = type->view;
    return reading;
  }
  const auto kind = kind_of(found);
  if (!kind) {
    return fail(ErrorKind::kInvalid, "key \"" + std::string(key) + "\" holds a Redis " +
                                         std::string(found) + ", which Tributary never writes");
  }
  reading.view = *kind;
  reading.exists = true;
  reading.values = decode_values(at(*reply, 1), *kind);
  return reading;
}

// ---- parked --------------------------------------------------------------------------------

Result<std::vector<Parked>> RedisReplicaStore::parked() {
  TRIBUTARY_ASSIGN(const Reply reply, connection_->call({"HGETALL", kParkedKey}));
  std::vector<Parked> all;
  for (std::size_t i = 0; i + 1 < size(*reply); i += 2) {
    auto parked = decode_parked(text(at(*reply, i)), text(at(*reply, i + 1)));
    if (!parked) return damaged(kParkedKey);
    all.push_back(std::move(*parked));
  }
  std::sort(all.begin(), all.end(), [](const Parked& a, const Parked& b) {
    return std::tie(a.parked_at, a.id) < std::tie(b.parked_at, b.id);
  });
  return all;
}

Result<std::uint64_t> RedisReplicaStore::parked_count() {
  TRIBUTARY_ASSIGN(const Reply reply, connection_->call({"HLEN", kParkedKey}));
  return static_cast<std::uint64_t>(integer(*reply));
}

}  // namespace

Result<std::unique_ptr<ReplicaStore>> open_replica_store(const Endpoint& endpoint) {
  TRIBUTARY_ASSIGN(auto connection, Connection::open(endpoint));
  auto store = std::make_unique<RedisReplicaStore>(std::move(connection));
  TRIBUTARY_TRY(store->load_script());
  return store;
}

}  // namespace tributary::redis

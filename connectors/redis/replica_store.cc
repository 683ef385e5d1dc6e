#include <algorithm>
#include <random>

#include <tributary/base/check.h>
#include <tributary/connectors/redis/commit_script.h>
#include <tributary/connectors/redis/connection.h>
#include <tributary/connectors/redis/layout.h>
#include <tributary/connectors/redis/replica_store.h>

namespace tributary::redis {
namespace {

constexpr std::size_t kLoadsAtOnce = 512;  // keys in one pipeline, to bound the buffers

class RedisReplicaStore final : public ReplicaStore {
 public:
  explicit RedisReplicaStore(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {
    std::random_device random;
    nonce_ = (std::uint64_t{random()} << 32) ^ random();
  }

  Result<void> load_script() {
    TRIBUTARY_ASSIGN(const Reply reply, connection_->call({"SCRIPT", "LOAD", kCommitScript}));
    sha_ = text(*reply);
    return {};
  }

  Result<ReplicaProgress> progress() override;
  Result<std::vector<LoadedKey>> load(std::span<const KeyLoad> loads) override;
  Result<void> commit(const ReplicaCommit& commit) override;
  Result<std::vector<ForeignView>> foreign_views(
      std::span<const std::pair<std::string_view, crdt::ViewKind>> views) override;
  Result<std::vector<std::string>> deferring_keys(std::size_t limit) override;
  Result<KeyReading> read(std::string_view key) override;
  Result<std::vector<Parked>> parked() override;
  Result<std::uint64_t> parked_count() override;

 private:
  void queue_load(const KeyLoad& load);
  Result<LoadedKey> receive_load(const KeyLoad& load);
  Result<Reply> run_commit(const ReplicaCommit& commit);
  Result<Reply> transaction(
      std::initializer_list<std::initializer_list<std::string_view>> commands);
  std::string next_nonce();

  std::unique_ptr<Connection> connection_;
  Command command_;
  std::string sha_;
  std::uint64_t nonce_ = 0;
};

/// Never a plain counter: a replica that was rolled back must not meet an equal version by
/// accident.
std::string RedisReplicaStore::next_nonce() {
  nonce_ += 0x9e3779b97f4a7c15U;  // an odd step walks through all 2^64 values
  return ActorId{nonce_}.hex();
}

Result<Reply> RedisReplicaStore::transaction(
    std::initializer_list<std::initializer_list<std::string_view>> commands) {
  connection_->queue({"MULTI"});
  for (const auto& command : commands) connection_->queue(command);
  connection_->queue({"EXEC"});
  for (std::size_t i = 0; i <= commands.size(); ++i) {
    TRIBUTARY_TRY(connection_->receive());
  }
  return connection_->receive();
}

VersionVector decode_watermark(const redisReply& pairs) {
  VersionVector watermark;
  for (std::size_t i = 0; i + 1 < size(pairs); i += 2) {
    const auto actor = ActorId::from_hex(text(at(pairs, i)));
    const auto seq = parse_u64(text(at(pairs, i + 1)));
    if (actor && seq) watermark.raise(*actor, Seq{*seq});
  }
  return watermark;
}

Result<ReplicaProgress> RedisReplicaStore::progress() {
  TRIBUTARY_ASSIGN(
      const Reply reply,
      transaction({{"HGETALL", kWatermarkKey}, {"HGETALL", kProgressKey}, {"GET", kHlcKey}}));
  ReplicaProgress progress;
  progress.watermark = decode_watermark(at(*reply, 0));
  const redisReply& origins = at(*reply, 1);
  for (std::size_t i = 0; i + 1 < size(origins); i += 2) {
    if (const auto origin = decode_progress(text(at(origins, i + 1)))) {
      progress.origins[OriginName{std::string(text(at(origins, i)))}] = *origin;
    }
  }
  progress.hlc = decode_hlc(text(at(*reply, 2)));
  return progress;
}

// ---- loading -------------------------------------------------------------------------------

void RedisReplicaStore::queue_load(const KeyLoad& load) {
  const std::string key = state_key(load.key);
  if (load.fields.all) {
    connection_->queue({"HGETALL", key});
    return;
  }
  command_.begin(3 + load.fields.names.size());
  command_.argument("HMGET");
  command_.argument(key);
  command_.argument(kVersionField);
  for (const std::string& name : load.fields.names) command_.argument(name);
  connection_->queue(command_);
}

Result<LoadedKey> RedisReplicaStore::receive_load(const KeyLoad& load) {
  TRIBUTARY_ASSIGN(const Reply reply, connection_->receive());
  LoadedKey key;
  if (load.fields.all) {
    key.state.set_complete();
    for (std::size_t i = 0; i + 1 < size(*reply); i += 2) {
      const std::string_view name = text(at(*reply, i));
      const std::string_view value = text(at(*reply, i + 1));
      if (name == kVersionField) key.version = value;
      else key.state.load(std::string(name), std::string(value));
    }
  } else {
    key.version = text(at(*reply, 0));
    for (std::size_t i = 0; i < load.fields.names.size(); ++i) {
      const redisReply& value = at(*reply, i + 1);
      key.state.load(load.fields.names[i],
                     is_nil(value) ? std::nullopt : std::optional<std::string>(text(value)));
    }
  }
  key.type = type_of_version(key.version);
  key.state.settle();
  return key;
}

Result<std::vector<LoadedKey>> RedisReplicaStore::load(std::span<const KeyLoad> loads) {
  std::vector<LoadedKey> loaded;
  loaded.reserve(loads.size());
  while (!loads.empty()) {
    const auto some = loads.first(std::min(loads.size(), kLoadsAtOnce));
    for (const KeyLoad& load : some) queue_load(load);
    for (const KeyLoad& load : some) {
      TRIBUTARY_ASSIGN(LoadedKey key, receive_load(load));
      loaded.push_back(std::move(key));
    }
    loads = loads.subspan(some.size());
  }
  return loaded;
}

// ---- committing ----------------------------------------------------------------------------

Result<Reply> RedisReplicaStore::run_commit(const ReplicaCommit& commit) {
  build_commit(command_, sha_, commit, next_nonce());
  connection_->queue(command_);
  return connection_->receive();
}

Result<void> RedisReplicaStore::commit(const ReplicaCommit& commit) {
  auto reply = run_commit(commit);
  if (!reply && reply.error().message.starts_with("NOSCRIPT")) {
    TRIBUTARY_TRY(load_script());  // Redis was restarted, or the script cache flushed
    reply = run_commit(commit);
  }
  if (!reply) return fail(reply.error());
  const std::string_view answer = text(**reply);
  if (answer == "OK") return {};
  return fail(ErrorKind::kConflict, "replica " + connection_->endpoint().name() + ": the " +
                                        std::string(answer) + " is not as expected");
}

Result<std::vector<ForeignView>> RedisReplicaStore::foreign_views(
    std::span<const std::pair<std::string_view, crdt::ViewKind>> views) {
  for (const auto& [key, kind] : views) connection_->queue({"TYPE", key});
  std::vector<ForeignView> foreign;
  for (const auto& [key, kind] : views) {
    TRIBUTARY_ASSIGN(const Reply reply, connection_->receive());
    const std::string_view found = text(*reply);
    if (found != "none" && found != crdt::to_string(kind)) {
      foreign.push_back({std::string(key), std::string(found)});
    }
  }
  return foreign;
}

Result<std::vector<std::string>> RedisReplicaStore::deferring_keys(std::size_t limit) {
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection_->call({"SRANDMEMBER", kDeferringKey, std::to_string(limit)}));
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < size(*reply); ++i) keys.emplace_back(text(at(*reply, i)));
  return keys;
}

// ---- reading -------------------------------------------------------------------------------

std::vector<std::pair<std::string, std::string>> decode_values(const redisReply& reply,
                                                               crdt::ViewKind kind) {
  std::vector<std::pair<std::string, std::string>> values;
  if (!is_array(reply)) {
    if (!is_nil(reply)) values.emplace_back("", text(reply));
    return values;
  }
  const bool pairs = kind == crdt::ViewKind::kHash || kind == crdt::ViewKind::kSortedSet;
  for (std::size_t i = 0; i < size(reply); i += pairs ? 2 : 1) {
    const std::string first(text(at(reply, i)));
    if (pairs) values.emplace_back(first, text(at(reply, i + 1)));
    else if (kind == crdt::ViewKind::kSet) values.emplace_back(first, "");
    else values.emplace_back("", first);
  }
  const bool sorted = kind == crdt::ViewKind::kSet || kind == crdt::ViewKind::kHash;
  if (sorted) std::sort(values.begin(), values.end());
  return values;
}

/// One command that reads a whole view of that kind.
std::vector<std::string_view> read_command(crdt::ViewKind kind, std::string_view key) {
  switch (kind) {
    case crdt::ViewKind::kString: return {"GET", key};
    case crdt::ViewKind::kSet: return {"SMEMBERS", key};
    case crdt::ViewKind::kHash: return {"HGETALL", key};
    case crdt::ViewKind::kSortedSet: return {"ZRANGE", key, "0", "-1", "WITHSCORES"};
    case crdt::ViewKind::kList: return {"LRANGE", key, "0", "-1"};
  }
  return {};
}

std::optional<crdt::ViewKind> kind_of(std::string_view redis_type) {
  using crdt::ViewKind;
  for (const ViewKind kind : {ViewKind::kString, ViewKind::kSet, ViewKind::kHash,
                              ViewKind::kSortedSet, ViewKind::kList}) {
    if (crdt::to_string(kind) == redis_type) return kind;
  }
  return std::nullopt;
}

Result<KeyReading> RedisReplicaStore::read(std::string_view key) {
  const std::string state = state_key(key);
  while (true) {
    TRIBUTARY_TRY(connection_->call({"WATCH", key}));
    TRIBUTARY_ASSIGN(const Reply type, connection_->call({"TYPE", key}));
    const std::string found(text(*type));
    const auto kind = kind_of(found);
    if (!kind && found != "none") {
      return fail(ErrorKind::kInvalid, "key \"" + std::string(key) + "\" holds a Redis " + found +
                                           ", which Tributary does not write");
    }
    const auto value = read_command(kind.value_or(crdt::ViewKind::kString), key);
    connection_->queue({"MULTI"});
    command_.begin(value.size());
    for (const std::string_view argument : value) command_.argument(argument);
    connection_->queue(command_);
    connection_->queue({"HGET", state, kVersionField});
    connection_->queue({"HGETALL", kWatermarkKey});
    connection_->queue({"EXEC"});
    for (int i = 0; i < 4; ++i) TRIBUTARY_TRY(connection_->receive());
    TRIBUTARY_ASSIGN(const Reply reply, connection_->receive());
    if (is_nil(*reply)) continue;  // the key changed between TYPE and EXEC
    KeyReading reading;
    reading.view = kind.value_or(crdt::ViewKind::kString);
    reading.exists = kind.has_value();
    reading.values = decode_values(at(*reply, 0), reading.view);
    reading.type = type_of_version(text(at(*reply, 1)));
    reading.context = decode_watermark(at(*reply, 2));
    return reading;
  }
}

Result<std::vector<Parked>> RedisReplicaStore::parked() {
  TRIBUTARY_ASSIGN(const Reply reply, connection_->call({"HGETALL", kParkedKey}));
  std::vector<Parked> all;
  for (std::size_t i = 0; i + 1 < size(*reply); i += 2) {
    auto parked = decode_parked(text(at(*reply, i)), text(at(*reply, i + 1)));
    if (!parked) {
      return fail(ErrorKind::kFatal,
                  "a record in tributary:parked does not decode; was it edited?");
    }
    all.push_back(std::move(*parked));
  }
  std::sort(all.begin(), all.end(), [](const Parked& a, const Parked& b) { return a.id < b.id; });
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

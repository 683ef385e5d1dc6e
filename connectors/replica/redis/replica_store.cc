#include "connectors/replica/redis/replica_store.h"

#include <algorithm>
#include <random>

#include "base/text.h"
#include "connectors/replica/redis/claim.h"
#include "connectors/replica/redis/commit_arguments.h"
#include "connectors/replica/redis/commit_script.h"
#include "connectors/replica/redis/connection.h"
#include "connectors/replica/redis/deferring.h"
#include "connectors/replica/redis/indexes.h"
#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/loading.h"
#include "connectors/replica/redis/permissions.h"
#include "connectors/replica/redis/progress.h"
#include "connectors/replica/redis/reading.h"
#include "connectors/replica/redis/server.h"
#include "connectors/replica/redis/set_aside.h"
#include "connectors/replica/redis/strays.h"

namespace tributary::redis {
namespace {

/// A walk looks that often whether the indexes are there.
constexpr std::size_t kStepsToLook = 32;

/// Seeded by the machine once a connection: asking it for every commit costs a tenth of the commit.
std::mt19937_64 seeded() {
  std::random_device device;
  return std::mt19937_64((std::uint64_t{device()} << 32) | device());
}

class RedisReplicaStore final : public ReplicaStore {
 public:
  explicit RedisReplicaStore(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

  Result<void> load_script() {
    TRIBUTARY_ASSIGN(const Reply sha, connection_->call({"SCRIPT", "LOAD", commit_script()}));
    script_ = text(*sha);
    return {};
  }
  Result<void> probe() { return probe_commands(*connection_); }

  Result<std::vector<std::string>> move_strays_aside() override {
    return redis::move_strays_aside(*connection_);
  }
  Result<ReplicaProgress> progress() override { return told(read_progress(*connection_)); }
  Result<ProgressSample> sample(std::span<const ActorId> actors) override {
    return told(read_sample(*connection_, actors));
  }
  Result<std::string> token() override { return told(read_token()); }
  Result<ReplicaContext> context() override { return told(read_context(*connection_)); }
  Result<std::vector<LoadedKey>> load(std::span<const KeyLoad> loads) override {
    return told(load_keys(*connection_, loads));
  }
  Result<std::string> commit(const ReplicaCommit& commit) override { return told(run(commit)); }
  Result<std::vector<ChangedView>> changed_views(
      std::span<const std::pair<std::string_view, crdt::ViewKind>> views) override {
    return told(find_changed_views(*connection_, views));
  }
  Result<std::vector<std::string>> deferring_keys(std::size_t limit) override {
    return told(read_deferring(*connection_, limit));
  }
  Result<KeyReading> read(std::string_view key) override {
    return told(read_key(*connection_, key));
  }
  Result<std::vector<ParkedEntry>> parked(std::string_view after, std::size_t limit) override {
    return told(read_parked(*connection_, after, limit));
  }
  Result<std::vector<ParkedSize>> parked_sizes(std::string_view after, std::size_t limit) override {
    return told(read_parked_sizes(*connection_, after, limit));
  }
  Result<std::vector<ParkedEntry>> parked_for(std::string_view key, std::size_t limit) override {
    return told(read_parked_for(*connection_, key, limit));
  }
  Result<std::uint64_t> parked_count() override { return told(count_parked(*connection_)); }
  Result<std::vector<std::string>> discarded() override {
    return told(read_discarded(*connection_));
  }
  Result<std::vector<std::pair<std::string, KeyBlock>>> blocked(std::string_view after,
                                                                std::size_t limit) override {
    return told(read_blocked(*connection_, after, limit));
  }
  Result<Walk> walk(std::string_view cursor, std::size_t limit) override {
    return told(step(cursor, limit));
  }
  Result<ViewContent> view(std::string_view key, std::size_t members) override {
    return told(read_view(*connection_, key, members));
  }
  Result<void> claim(const RegionName& region, Millis time) override {
    return told(redis::claim(*connection_, region, time));
  }
  Result<std::optional<RegionName>> claimed_by() override { return told(read_claim(*connection_)); }
  Result<std::vector<std::string>> warnings() override { return told(read_warnings(*connection_)); }

 private:
  Result<std::string> read_token();
  Result<std::string> run(const ReplicaCommit& commit);
  Error refusal(const ReplicaCommit& commit, Error error);
  Result<Walk> step(std::string_view cursor, std::size_t limit);

  /// An error about a wrong type names the key.
  template <typename T>
  Result<T> told(Result<T> result) {
    if (result || result.error().kind != ErrorKind::kFatal) return result;
    return fail(explained(*connection_, std::move(result).error()));
  }

  std::unique_ptr<Connection> connection_;
  Arguments arguments_;
  Indexes indexes_;
  std::size_t steps_ = 0;
  std::mt19937_64 nonces_ = seeded();
  std::string script_;
};

Result<std::string> RedisReplicaStore::read_token() {
  TRIBUTARY_ASSIGN(const Reply reply, connection_->call({"GET", kToken.name}));
  return std::string(text(*reply));
}

Result<std::string> RedisReplicaStore::run(const ReplicaCommit& commit) {
  const std::uint64_t nonce = nonces_();
  build_commit(arguments_, commit, nonce);
  auto reply = connection_->call({"EVALSHA", script_}, arguments_);
  if (!reply && reply.error().message.starts_with("NOSCRIPT")) {
    TRIBUTARY_TRY(load_script());  // Redis was restarted or its script cache flushed
    reply = connection_->call({"EVALSHA", script_}, arguments_);
  }
  if (!reply && denied(reply.error())) return fail(refusal(commit, std::move(reply).error()));
  if (!reply) return fail(std::move(reply).error());
  const std::string_view answer = text(**reply);
  if (answer == "OK") return commit.expected_token ? ActorId{nonce}.hex() : std::string();
  return fail(
      ErrorKind::kConflict,
      connection_->where() + "it is not as it was when it was read: " + std::string(answer));
}

/// Of a commit that the user may not make: a conflict when keys are at fault.
Error RedisReplicaStore::refusal(const ReplicaCommit& commit, Error error) {
  std::vector<std::string_view> keys;
  for (const KeyCommit& each : commit.keys) keys.push_back(each.key);
  auto refused = refused_keys(*connection_, keys);
  if (!refused) return std::move(refused).error();
  if (refused->empty()) return error;
  return {ErrorKind::kConflict,
          connection_->where() + "the user may not touch " + std::to_string(refused->size()) +
              " of the keys, of which the first is " + in_quotes(refused->front())};
}

Result<ReplicaStore::Walk> RedisReplicaStore::step(std::string_view cursor, std::size_t limit) {
  const bool begins = cursor.empty();
  if (begins || ++steps_ % kStepsToLook == 0) {
    TRIBUTARY_TRY(indexes_.mend(*connection_, begins, nonces_()));
  }
  const std::string count = std::to_string(std::max<std::size_t>(limit, 1));
  TRIBUTARY_ASSIGN(const Reply reply, connection_->call({"SCAN", cursor.empty() ? "0" : cursor,
                                                         "MATCH", kStatePattern, "COUNT", count}));
  Walk walk;
  walk.cursor = text(at(*reply, 0));
  if (walk.cursor == "0") walk.cursor.clear();
  const redisReply& names = at(*reply, 1);
  for (std::size_t i = 0; i < size(names); ++i) {
    if (const auto key = key_of_state(text(at(names, i)))) walk.keys.emplace_back(*key);
  }
  TRIBUTARY_TRY(list_deferring(*connection_, walk.keys));
  return walk;
}

}  // namespace

Result<std::unique_ptr<ReplicaStore>> open_replica_store(const Endpoint& endpoint) {
  TRIBUTARY_ASSIGN(auto connection, Connection::open(endpoint));
  auto store = std::make_unique<RedisReplicaStore>(std::move(connection));
  TRIBUTARY_TRY(store->probe());
  TRIBUTARY_TRY(store->load_script());
  return store;
}

}  // namespace tributary::redis

#include "tests/conformance/replica_store/subjects.h"

#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/replica_store.h"

namespace tributary::replica_tests {

using crdt::ViewKind;

std::unique_ptr<ReplicaStore> MemorySubject::open() { return need(replica_.open()); }

void MemorySubject::tamper(std::string_view key, ViewKind kind, std::string_view member) {
  replica_.tamper(key, kind, member);
}

RedisSubject::RedisSubject() {
  const char* url = std::getenv("TRIBUTARY_TEST_REDIS_URL");
  if (url == nullptr) return;
  endpoint_ = need(redis::parse_url(url));
  other_ = need(redis::Connection::open(*endpoint_));
  flush();
}

std::unique_ptr<ReplicaStore> RedisSubject::open() {
  return need(redis::open_replica_store(*endpoint_));
}

void RedisSubject::tamper(std::string_view key, ViewKind kind, std::string_view member) {
  need(other_->call({"DEL", key}));
  switch (kind) {
    case ViewKind::kString: need(other_->call({"SET", key, member})); break;
    case ViewKind::kSet: need(other_->call({"SADD", key, member})); break;
    case ViewKind::kHash: need(other_->call({"HSET", key, member, member})); break;
    case ViewKind::kSortedSet: need(other_->call({"ZADD", key, "1", member})); break;
    case ViewKind::kList: need(other_->call({"RPUSH", key, member})); break;
  }
}

void RedisSubject::drop_view(std::string_view key) { need(other_->call({"DEL", key})); }

void RedisSubject::damage(std::string_view key, MemoryReplica::Damage how) {
  using Damage = MemoryReplica::Damage;
  const std::string state = redis::state_key(key).whole();
  if (how == Damage::kBytes) {
    const auto fields = need(other_->call({"HKEYS", state}));
    for (std::size_t i = 0; i < redis::size(*fields); ++i) {
      const std::string_view name = redis::text(redis::at(*fields, i));
      if (name != redis::kVersionField) need(other_->call({"HSET", state, name, "\xff"}));
    }
    return;
  }
  need(other_->call({"DEL", state}));
  if (how == Damage::kStray) need(other_->call({"SET", state, "theirs"}));
  else need(other_->call({"HSET", state, ":field", "value"}));
}

void RedisSubject::flush() { need(other_->call({"FLUSHDB"})); }

std::uint64_t RedisSubject::info(std::string_view name) {
  const auto reply = need(other_->call({"INFO", "everything"}));
  const std::string_view all = redis::text(*reply);
  const auto at = all.find(std::string("\n").append(name).append(":"));
  REQUIRE(at != std::string_view::npos);
  const auto start = at + name.size() + 2;
  return redis::parse_u64(all.substr(start, all.find('\r', start) - start)).value();
}

/// Every field and value loaded is some bytes from the server: an upper bound.
std::uint64_t RedisSubject::fields_loaded() { return info("total_net_output_bytes"); }

void RedisSubject::kill_connections() {
  need(other_->call({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}));
}

std::string values_of(ReplicaStore& store, std::string_view key) {
  const KeyReading reading = need(store.read(key));
  if (!reading.exists) return "nothing";
  std::string out(crdt::to_string(reading.view));
  for (const auto& [name, value] : reading.values) out += " " + name + "=" + value;
  return out;
}

std::string version_of(ReplicaStore& store, std::string_view key) {
  const KeyLoad load{key, {}};
  return need(store.load({&load, 1})).front().version;
}

std::string picture(ReplicaStore& store, std::string_view key) {
  const KeyLoad load{key, {true, {}}};
  const LoadedKey loaded = std::move(need(store.load({&load, 1})).front());
  std::string out = loaded.version + " " + loaded.type;
  for (const auto& field : loaded.state.fields()) out += " " + field.name + "=" + *field.value;
  return out + " | " + values_of(store, key);
}

}  // namespace tributary::replica_tests

/// What only Redis can do to us.
#include <chrono>
#include <set>

#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/replica_store.h"
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

Result<std::string> write(ReplicaStore& store, const std::string& version,
                          const std::string& value) {
  Draft draft;
  draft.key("k", ViewKind::kString, version, {{"s", value}}, {put("", value)});
  return draft.commit(store);
}

/// The error of opening, which must fail.
Error refused(const redis::Endpoint& endpoint) {
  const auto store = redis::open_replica_store(endpoint);
  REQUIRE(!store);
  return store.error();
}

bool mentions(const Error& error, std::string_view words) {
  return error.message.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a commit survives a flushed script cache") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  need(write(*store, "", "1"));
  need(subject.other().call({"SCRIPT", "FLUSH"}));
  need(write(*store, version_of(*store, "k"), "2"));
  CHECK(values_of(*store, "k") == "string =2");
}

TEST_CASE("a killed connection is a transient error, and a new store works") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  auto store = subject.open();
  need(write(*store, "", "1"));
  subject.kill_connections();
  for (int attempt = 0; attempt < 3; ++attempt) {  // it stays dead, and raises no SIGPIPE
    const auto done = write(*store, "", std::string(1'000'000, 'x'));
    REQUIRE(!done);
    CHECK(done.error().kind == ErrorKind::kTransient);
    CHECK(mentions(done.error(), "redis"));
  }
  const auto load = store->progress();
  REQUIRE(!load);
  CHECK(load.error().kind == ErrorKind::kTransient);
  store = subject.open();
  need(write(*store, version_of(*store, "k"), "2"));
}

TEST_CASE("a connection killed between the chunks of a load leaves no half answer") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  std::vector<std::string> keys;
  for (int i = 0; i < 5000; ++i) keys.push_back("k" + std::to_string(i));
  std::vector<KeyLoad> loads;
  for (const std::string& key : keys) loads.push_back({key, {false, {"s"}}});
  subject.kill_connections();
  const auto loaded = store->load(loads);
  REQUIRE(!loaded);
  CHECK(loaded.error().kind == ErrorKind::kTransient);
}

TEST_CASE("a server that does not answer in time is a transient error") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  redis::Endpoint endpoint = subject.endpoint();
  endpoint.command_deadline = Millis{100};
  const auto store = need(redis::open_replica_store(endpoint));
  need(subject.other().call({"CLIENT", "PAUSE", "600", "ALL"}));
  const auto started = std::chrono::steady_clock::now();
  const auto done = write(*store, "", "1");
  CHECK(std::chrono::steady_clock::now() - started < Millis{500});
  REQUIRE(!done);
  CHECK(done.error().kind == ErrorKind::kTransient);
  CHECK(mentions(done.error(), "100 ms"));
}

TEST_CASE("out of memory and a read-only server are transient and write nothing") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  auto store = subject.open();
  need(write(*store, "", "1"));
  const std::string before = picture(*store, "k");
  const std::string version = version_of(*store, "k");
  need(subject.other().call({"CONFIG", "SET", "maxmemory", "1"}));
  const auto oom = write(*store, version, "2");
  need(subject.other().call({"CONFIG", "SET", "maxmemory", "0"}));
  REQUIRE(!oom);
  CHECK(oom.error().kind == ErrorKind::kTransient);
  CHECK(mentions(oom.error(), "maxmemory"));
  need(subject.other().call({"REPLICAOF", "127.0.0.1", "1"}));
  store = subject.open();
  const auto readonly = write(*store, version, "2");
  need(subject.other().call({"REPLICAOF", "NO", "ONE"}));
  REQUIRE(!readonly);
  CHECK(readonly.error().kind == ErrorKind::kTransient);
  CHECK(mentions(readonly.error(), "master"));
  store = subject.open();
  CHECK(picture(*store, "k") == before);
}

TEST_CASE("a state whose version is empty is damaged, not absent") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  for (const bool all : {false, true}) {
    CAPTURE(all);
    const std::string state = redis::state_key("k").whole();
    need(subject.other().call({"HSET", state, redis::kVersionField, ""}));
    const std::vector<KeyLoad> loads = {{"k", {all, {"s"}}}};
    CHECK(need(store->load(loads)).at(0).damage == "its state has no version");
  }
}

TEST_CASE("bytes under our names that cannot be read are named, and cost no more than they must") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft fill;
  const ActorId shop{1};
  const ActorId till{2};
  fill.actors = {{shop, {OriginName{"shop"}, std::nullopt}}, {till, {OriginName{"till"}, {}}}};
  fill.progress = {{OriginName{"shop"}, {shop, Offset{7}, Seq{5}, Hlc{50}}},
                   {OriginName{"till"}, {till, Offset{8}, Seq{6}, Hlc{60}}}};
  fill.hlc = Hlc{60};
  fill.token = "";
  need(fill.advance(shop, 0, 5).advance(till, 0, 6).commit(*store));
  const ReplicaProgress whole = need(store->progress());
  REQUIRE(whole.damage.empty());
  const auto look = [&](std::string_view key, std::string_view field) {
    ReplicaProgress progress = need(store->progress());
    REQUIRE(progress.damage.size() == 1);
    CAPTURE(progress.damage.front());
    CHECK(progress.damage.front().find(key) != std::string::npos);
    CHECK(progress.damage.front().find(field) != std::string::npos);
    need(store->context());
    need(store->read("k"));
    return progress;
  };
  SUBCASE("fields of nobody") {
    for (const auto& key : {redis::kWatermark, redis::kProgress, redis::kActors}) {
      need(subject.other().call({"HSET", key.name, "theirs", "theirs"}));
      const ReplicaProgress progress = look(key.name, "theirs");
      CHECK(progress.watermark == whole.watermark);
      CHECK(progress.origins == whole.origins);
      CHECK(progress.actors == whole.actors);
      CHECK(progress.doubtful.empty());
      need(subject.other().call({"HDEL", key.name, "theirs"}));
    }
  }
  SUBCASE("where an origin stands") {
    need(subject.other().call({"HSET", redis::kProgress.name, "shop", "theirs"}));
    const ReplicaProgress progress = look(redis::kProgress.name, "shop");
    CHECK(progress.origins.at(OriginName{"shop"}) == OriginProgress{shop, Offset{0}, Seq{5}, {}});
    CHECK(progress.origins.at(OriginName{"till"}) == whole.origins.at(OriginName{"till"}));
    CHECK(progress.doubtful.empty());
  }
  SUBCASE("what was applied of an actor, or whose it is") {
    for (const auto& key : {redis::kWatermark, redis::kActors}) {
      const auto held = need(subject.other().call({"HGET", key.name, shop.hex()}));
      need(subject.other().call({"HSET", key.name, shop.hex(), "theirs"}));
      const ReplicaProgress progress = look(key.name, shop.hex());
      CHECK(progress.doubtful.size() == 1);
      CHECK(progress.doubtful.contains(shop));
      CHECK(progress.watermark.get(till) == Seq{6});
      need(subject.other().call({"HSET", key.name, shop.hex(), redis::text(*held)}));
    }
    CHECK(need(store->progress()).damage.empty());
  }
  SUBCASE("the time, and what a commit had left") {
    for (const auto& [key, value] : {std::pair{redis::kHlc, "theirs"},
                                     {redis::kHlc, "99999999999999999999"},
                                     {redis::kHlc, "7"},
                                     {redis::kUnfinished, "theirs"},
                                     {redis::kUnfinished, "00000001kffffffff"}}) {
      CAPTURE(value);
      need(subject.other().call({"SET", key.name, value}));
      ReplicaProgress progress = look(key.name, "");
      CHECK(progress.hlc == Hlc{60});
      CHECK(need(store->context()).hlc == Hlc{60});
      Draft next;
      next.token = progress.token;
      next.hlc = Hlc{61};
      need(next.commit(*store));
      progress = need(store->progress());
      CHECK(progress.damage.empty());
      if (key.name == redis::kHlc.name) CHECK(progress.hlc == Hlc{61});
      need(subject.other().call({"SET", redis::kHlc.name, "00000000000000000060"}));
      need(subject.other().call({"DEL", redis::kUnfinished.name}));
    }
  }
  const ReplicaProgress before = need(store->progress());
  need(subject.other().call({"HSET", redis::kWatermark.name, "theirs", "theirs"}));
  Draft rebuilt;  // is not in the way of a commit that bounds the watermark
  rebuilt.watermark_at_most = before.watermark;
  need(rebuilt.commit(*store));
}

TEST_CASE("what is set aside and cannot be read is named, and can be dropped") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  need(subject.other().call({"HSET", "tributary:blocked", "k", "theirs"}));
  const KeyLoad load{"k", {}};
  CHECK(need(store->load({&load, 1})).front().block.incomplete);
  Draft draft;
  draft.parked.emplace_back().id = "a";
  draft.parked.emplace_back().id = "b";
  need(draft.commit(*store));
  need(subject.other().call({"HSET", "tributary:parked", "a", "theirs"}));
  const auto parked = need(store->parked("", 10));
  REQUIRE(parked.size() == 2);
  CHECK(parked[0].reason.find("not what Tributary wrote") != std::string::npos);
  CHECK(parked[1].reason.empty());
  Draft forget;
  forget.unparked = {"a"};
  need(forget.commit(*store));
  CHECK(need(store->parked("", 10)).size() == 1);
}

TEST_CASE("a view of many megabytes is read in pieces that nobody waits for") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  redis::Endpoint endpoint = subject.endpoint();
  endpoint.command_deadline = Millis{1000};
  const auto store = need(redis::open_replica_store(endpoint));
  for (int i = 0; i < 60; ++i) {
    const std::string member = std::to_string(i) + std::string(900'000, 'x');
    need(subject.other().call({"SADD", "set", member}));
    need(subject.other().call({"HSET", "hash", member, "1"}));
    need(subject.other().call({"ZADD", "zset", "1", member}));
    need(subject.other().call({"RPUSH", "list", member}));
  }
  const std::uint64_t before = subject.info("total_net_output_bytes");
  for (const std::string_view key : {"set", "hash", "zset", "list"}) {
    CAPTURE(key);
    const auto content = need(store->view(key, 10'000));
    CHECK(content.size == 60);
    CHECK_FALSE(content.whole);
    CHECK(content.values.empty());
  }
  CHECK(subject.info("total_net_output_bytes") - before < 4 * (std::uint64_t{40} << 20));
  for (const std::string_view key : {"set", "hash", "zset", "list"}) {
    CAPTURE(key);
    CHECK(need(store->read(key)).values.size() == 60);
  }
  subject.flush();
}

TEST_CASE("a view of many small members is read whole") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  for (int i = 0; i < 5000; ++i) {
    const std::string member = std::to_string(i);
    need(subject.other().call({"SADD", "set", member}));
    need(subject.other().call({"HSET", "hash", member, member}));
    need(subject.other().call({"ZADD", "zset", member, member}));
    need(subject.other().call({"RPUSH", "list", member}));
  }
  for (const std::string_view key : {"set", "hash", "zset", "list"}) {
    CAPTURE(key);
    const auto content = need(store->view(key, 5000));
    CHECK(content.whole);
    CHECK(std::set(content.values.begin(), content.values.end()).size() == 5000);
    CHECK(content.values.size() == 5000);
    CHECK(need(store->view(key, 4999)).values.empty());
  }
  const auto list = need(store->view("list", 5000));
  CHECK(list.values.front().second == "0");
  CHECK(list.values.back().second == "4999");
}

TEST_CASE("a stream where a view should be is named, not read") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  need(subject.other().call({"XADD", "k", "*", "f", "v"}));
  const auto reading = store->read("k");
  REQUIRE(!reading);
  CHECK(reading.error().kind == ErrorKind::kInvalid);
  CHECK(mentions(reading.error(), "stream"));
  const auto done = write(*store, "", "1");
  REQUIRE(!done);
  CHECK(done.error().kind == ErrorKind::kConflict);
}

TEST_CASE("nobody at the address is a transient error") {
  redis::Endpoint endpoint = need(redis::parse_url("redis://127.0.0.1:1"));
  endpoint.password = "secret";
  const Error error = refused(endpoint);
  CHECK(error.kind == ErrorKind::kTransient);
  CHECK(mentions(error, "redis://127.0.0.1:1/0"));
  CHECK(!mentions(error, "secret"));
  CHECK(refused(need(redis::parse_url("unix:///nowhere/redis.sock"))).kind ==
        ErrorKind::kTransient);
}

TEST_CASE("refused credentials are fatal, say what to do, and stay secret") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  need(subject.other().call(
      {"ACL", "SETUSER", "conformance", "reset", "on", ">right-word", "~*", "+@all"}));
  redis::Endpoint endpoint = subject.endpoint();
  endpoint.username = "conformance";
  endpoint.password = "wrong-word";
  const Error wrong = refused(endpoint);
  CHECK(wrong.kind == ErrorKind::kFatal);
  CHECK(mentions(wrong, "check the replica's username and password"));
  CHECK(!mentions(wrong, "wrong-word"));
  // An answer that holds the password, as when AUTH was renamed, is not passed on.
  endpoint.password = "WRONGPASS";
  CHECK(!mentions(refused(endpoint), "WRONGPASS"));
  endpoint.password = "right-word";
  need(need(redis::open_replica_store(endpoint))->progress());
  need(subject.other().call({"ACL", "DELUSER", "conformance"}));
}

TEST_CASE("a URL says where, and what is wrong with it") {
  CHECK(need(redis::parse_url("redis://cache")).name() == "redis://cache:6379/0");
  CHECK(need(redis::parse_url("redis://cache:7000/3")).name() == "redis://cache:7000/3");
  CHECK(need(redis::parse_url("redis://[::1]:7000/")).host == "::1");
  CHECK(need(redis::parse_url("redis://[::1]")).name() == "redis://[::1]:6379/0");
  CHECK(need(redis::parse_url("unix:///run/redis.sock?db=2")).name() ==
        "unix:///run/redis.sock?db=2");
  for (const std::string_view bad :
       {"", "http://x", "redis://", "redis://:1", "redis://x:", "redis://x:0", "redis://x:65536",
        "redis://x:1y", "redis://x/y", "redis://x/-1", "redis://[::1", "redis://[::1]7",
        "unix://relative", "unix:///s?database=1", "unix:///s?db=x"}) {
    CAPTURE(bad);
    const auto parsed = redis::parse_url(bad);
    REQUIRE(!parsed);
    CHECK(parsed.error().kind == ErrorKind::kInvalid);
  }
  const auto tls = redis::parse_url("rediss://x");
  REQUIRE(!tls);
  CHECK(mentions(tls.error(), "TLS"));
  const auto inline_password = redis::parse_url("redis://u:secret@x");
  REQUIRE(!inline_password);
  CHECK(!mentions(inline_password.error(), "secret"));
}

}  // namespace tributary::replica_tests

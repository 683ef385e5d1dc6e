/// What another program writes over the keys that the replica has as a whole.
#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/replica_store.h"
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

constexpr ActorId kShop{1};
constexpr ActorId kTill{2};

ParkedEntry parked_change(const std::string& key) {
  const OriginName origin{"shop"};
  return {.id = parked_id(origin, kShop, Seq{6}, key),
          .origin = origin,
          .actor = kShop,
          .first_seq = Seq{6},
          .last_seq = Seq{6},
          .key = key,
          .reason = "a test",
          .bytes = "bytes",
          .parked_at = Micros{1}};
}

KeyBlock blocked(std::uint64_t bodies) {
  return {.mark = {},
          .before = {{kShop, Seq{5}}},
          .bodies = bodies,
          .incomplete = bodies == 0,
          .reason = "a test",
          .retries = 0};
}

/// A replica with everything in it: a value, two origins, a deferring key, a key with a change
/// parked, and one that is incomplete.
void fill(ReplicaStore& store) {
  Draft draft;
  draft.token = "";
  draft.hlc = Hlc{60};
  draft.actors = {{kShop, {OriginName{"shop"}, std::nullopt}},
                  {kTill, {OriginName{"till"}, std::nullopt}}};
  draft.progress = {{OriginName{"shop"}, {kShop, Offset{7}, Seq{5}, Hlc{50}}},
                    {OriginName{"till"}, {kTill, Offset{8}, Seq{6}, Hlc{60}}}};
  draft.key("k", ViewKind::kString, "", {{"s", "1"}}, {put("", "1")});
  draft.key("waits", ViewKind::kString, "", {{"s", "1"}}, {put("", "1")}).deferring = true;
  draft.parked = {parked_change("aside")};
  draft.block("aside", "", blocked(1)).block("marked", "", blocked(0));
  need(draft.advance(kShop, 0, 5).advance(kTill, 0, 6).commit(store));
}

/// With the token and the versions as they are, writes one more value, and raises the watermark of
/// an actor that is known.
Result<std::string> write(ReplicaStore& store, const std::string& value) {
  const ReplicaProgress progress = need(store.progress());
  Draft draft;
  draft.token = progress.token;
  draft.hlc = Hlc{61};
  draft.key("k", ViewKind::kString, version_of(store, "k"), {{"s", value}}, {put("", value)});
  const std::uint64_t have = progress.watermark.get(kTill).value;
  if (have > 0) draft.advance(kTill, have, have + 1);
  return draft.commit(store);
}

void put_stray(RedisSubject& subject, std::string_view name, std::string_view type) {
  need(subject.other().call({"DEL", name}));
  if (type == "string") need(subject.other().call({"SET", name, "theirs"}));
  else if (type == "list") need(subject.other().call({"RPUSH", name, "theirs"}));
  else need(subject.other().call({"XADD", name, "*", "f", "theirs"}));
}

std::string type_at(RedisSubject& subject, const std::string& name) {
  return std::string(redis::text(*need(subject.other().call({"TYPE", name}))));
}

std::string aside(std::string_view name) {
  return "tributary:stray:" + std::string(name.substr(std::string_view("tributary:").size()));
}

/// All that is asked of a replica.
void look_all_over(ReplicaStore& store) {
  need(store.progress());
  need(store.context());
  need(store.token());
  need(store.deferring_keys(10));
  need(store.parked({}, 10));
  need(store.parked_for("aside", 10));
  need(store.parked_count());
  need(store.blocked({}, 10));
  need(store.read("k"));
  need(store.read("aside"));
  ReplicaStore::Walk walk;
  do walk = need(store.walk(walk.cursor, 100));
  while (!walk.cursor.empty());
}

}  // namespace

TEST_CASE("another program's key under one of our names is moved aside, and commits go on") {
  for (const redis::SharedKey& key : redis::kSharedKeys) {
    for (const std::string_view type : {"string", "list", "stream"}) {
      if (type == key.type) continue;
      RedisSubject subject;
      REQUIRE_SUBJECT(subject);
      const auto store = subject.open();
      fill(*store);
      CAPTURE(key.name);
      CAPTURE(type);
      Draft over;
      over.key("k", ViewKind::kString, version_of(*store, "k"), {{"s", "2"}}, {put("", "2")});
      put_stray(subject, key.name, type);
      const auto stopped = over.commit(*store);
      REQUIRE(!stopped);
      CHECK(stopped.error().kind == ErrorKind::kTransient);
      CHECK(stopped.error().message.find(key.name) != std::string::npos);
      CHECK(redis::text(*need(subject.other().call({"GET", "k"}))) == "1");

      const auto moved = need(store->move_strays_aside());
      REQUIRE(moved.size() == 1);
      CAPTURE(moved.front());
      CHECK(moved.front().find(key.name) != std::string::npos);
      CHECK(moved.front().find(aside(key.name)) != std::string::npos);
      CHECK(type_at(subject, aside(key.name)) == type);
      look_all_over(*store);
      need(write(*store, "2"));
      CHECK(values_of(*store, "k") == "string =2");
      CHECK(need(store->move_strays_aside()).empty());
    }
  }
}

TEST_CASE("strays under all of our names at once are moved aside") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  fill(*store);
  for (const redis::SharedKey& key : redis::kSharedKeys) put_stray(subject, key.name, "list");
  CHECK(need(store->move_strays_aside()).size() == redis::kSharedKeys.size());
  look_all_over(*store);
  need(write(*store, "2"));
}

TEST_CASE("without the watermark or the actors nobody is taken for a new actor") {
  for (const redis::SharedKey& key : {redis::kWatermark, redis::kActors}) {
    RedisSubject subject;
    REQUIRE_SUBJECT(subject);
    const auto store = subject.open();
    fill(*store);
    CAPTURE(key.name);
    put_stray(subject, key.name, "string");
    need(store->move_strays_aside());
    const ReplicaProgress progress = need(store->progress());
    CHECK(progress.doubtful.contains(kShop));
    CHECK(progress.doubtful.contains(kTill));
  }
}

TEST_CASE("where origins stand is told by their actors when the record of it is gone") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  fill(*store);
  put_stray(subject, redis::kProgress.name, "list");
  need(store->move_strays_aside());
  const ReplicaProgress progress = need(store->progress());
  REQUIRE(progress.origins.contains(OriginName{"till"}));
  CHECK(progress.origins.at(OriginName{"till"}).actor == kTill);
  CHECK(progress.origins.at(OriginName{"till"}).offset == Offset{0});
}

TEST_CASE("the time of the last change does not go back with its record") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  fill(*store);
  put_stray(subject, redis::kHlc.name, "list");
  need(store->move_strays_aside());
  CHECK(need(store->progress()).hlc == Hlc{60});
  CHECK(need(store->context()).hlc == Hlc{60});
}

TEST_CASE("the time of heartbeats alone is not taken for that of a change") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft draft;
  draft.progress = {{OriginName{"shop"}, {kShop, Offset{7}, Seq{}, Hlc{50}}}};
  need(draft.commit(*store));
  CHECK(need(store->progress()).hlc == Hlc{});
  CHECK(need(store->context()).hlc == Hlc{});
}

TEST_CASE("without their blocks keys stay blocked, and without parked changes they are rebuilt") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  fill(*store);
  SUBCASE("the blocks") { put_stray(subject, redis::kBlocked.name, "list"); }
  SUBCASE("the blocks and their order") {
    put_stray(subject, redis::kBlocked.name, "list");
    put_stray(subject, redis::kBlockedKeys.name, "list");
  }
  SUBCASE("what was parked") { put_stray(subject, redis::kParked.name, "list"); }
  need(store->move_strays_aside());
  ReplicaStore::Walk walk;
  do walk = need(store->walk(walk.cursor, 100));
  while (!walk.cursor.empty());
  const auto all = need(store->blocked({}, 10));
  REQUIRE(all.size() == 2);
  for (const auto& [key, block] : all) {
    CAPTURE(key);
    CHECK(block.incomplete);
    CHECK(!block.mark.empty());
    CHECK(block.before == LoweredSeqs{{kShop, Seq{5}}});
  }
  CHECK(need(store->context()).lowered.size() == 2);
}

TEST_CASE("only the last strays are kept") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  fill(*store);
  for (int i = 0; i < 10; ++i) {
    put_stray(subject, redis::kDeferring.name, "string");
    need(store->move_strays_aside());
  }
  const auto kept = need(subject.other().call({"KEYS", "tributary:stray:*"}));
  CHECK(redis::size(*kept) == 4);
}

TEST_CASE("a consumer that may not move a stray aside says what to grant") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  fill(*subject.open());
  put_stray(subject, redis::kDeferring.name, "string");
  need(subject.other().call(
      {"ACL", "SETUSER", "tributary_test", "reset", "on", ">word", "~*", "+@all", "-rename"}));
  redis::Endpoint endpoint = subject.endpoint();
  endpoint.username = "tributary_test";
  endpoint.password = "word";
  const auto store = need(redis::open_replica_store(endpoint));
  const auto moved = store->move_strays_aside();
  need(subject.other().call({"ACL", "DELUSER", "tributary_test"}));
  REQUIRE(!moved);
  CHECK(moved.error().message.find("+rename") != std::string::npos);
}

}  // namespace tributary::replica_tests

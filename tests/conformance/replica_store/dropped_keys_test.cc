/// Keys of the layout that another program drops, one at a time, under a running consumer.
#include "connectors/replica/redis/layout.h"
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"
#include "tests/unit/consumer/region_under_test.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

/// A region on a Redis in which every key of the layout is in use.
struct LadenRegion {
  explicit LadenRegion(RedisSubject& its_redis)
      : redis(its_redis),
        region({}, [this]() -> Result<std::unique_ptr<ReplicaStore>> { return redis.open(); }) {
    shop(set_batch(kShop, kShopActor, ++seq, "cart:1", "add", "a"));
    shop(set_batch(kShop, kShopActor, ++seq, "cart:1", "add", "b"));
    shop(set_batch(kShop, kShopActor, ++seq, "cart:3", "add", "x"));
    count("stock:1");
    region.publish(counter_batch(kTill, kTillActor, 1, "stock:1", 100));
    // A remove that has seen what comes later.
    region.publish(set_batch(kTill, kTillActor, 2, "cart:2", "remove", "e", seen({{1, kAwaited}})));
    region.run(Millis{500});
    redis.tamper("stock:8", ViewKind::kSet, "foreign");
    count("stock:8");
    region.run(Millis{2000});
    need(discard_key(*region.store(), "stock:8"));
    redis.drop_view("stock:8");
    redis.tamper("stock:9", ViewKind::kSet, "foreign");
    count("stock:9");
    count("stock:9");
    redis.damage("cart:3", MemoryReplica::Damage::kStray);
    region.run(Millis{2000});
  }

  void shop(const Batch& batch) { region.publish(batch); }
  void count(const std::string& key) {
    ++seq;
    shop(counter_batch(kShop, kShopActor, seq, key, ++counted[key]));
  }

  /// As a commit leaves it that stopped half-way.
  void stop_halfway() {
    need(redis.other().call({"SET", "tributary:token", "unfinished 1"}));
    need(redis.other().call({"SET", "tributary:unfinished", "00000006cart:1"}));
    need(redis.other().call({"SREM", "cart:1", "a"}));
  }

  void beat() {
    region.publish(heartbeat(kShop, kShopActor, seq));
    region.publish(heartbeat(kTill, kTillActor, 2));
  }

  /// The consumer goes on, and a person does what the documentation says.
  void go_on() {
    region.run(Millis{10'000});
    while (seq + 1 < kAwaited) count("stock:1");
    shop(set_batch(kShop, kShopActor, ++seq, "cart:2", "add", "e"));
    count("stock:9");
    beat();
    region.run(Millis{10'000});
    redis.drop_view("stock:9");
    for (int i = 0; i < 2; ++i) {
      need(retry_all(*region.store(), region.settings.schema));
      region.clock.now += std::chrono::minutes(2);
      region.rebuild();
      region.run(Millis{10'000});
    }
  }

  bool right() {
    return region.view("cart:1") == "{a,b}" && region.view("cart:2") == "(none)" &&
           region.view("cart:3") == "{x}" &&
           region.view("stock:1") == std::to_string(100 + counted["stock:1"]) &&
           region.view("stock:9") == std::to_string(counted["stock:9"]);
  }
  /// What `tributary status` calls converged.
  bool converged() {
    const auto progress = need(region.store()->progress());
    return progress.watermark.get(kShopActor) == Seq{seq} &&
           progress.watermark.get(kTillActor) == Seq{2} &&
           need(region.store()->parked_count()) == 0 && progress.damage.empty() &&
           progress.unfinished.empty();
  }

  static constexpr std::uint64_t kAwaited = 12;
  RedisSubject& redis;
  RegionUnderTest region;
  std::uint64_t seq = 0;
  std::map<std::string, std::int64_t> counted;
};

}  // namespace

TEST_CASE("whichever key of ours is dropped, the region converges, or says that it does not") {
  for (const redis::SharedKey& key : redis::kSharedKeys) {
    for (const bool truncated : {false, true}) {
      const std::string name(key.name);
      CAPTURE(name);
      CAPTURE(truncated);
      RedisSubject subject;
      REQUIRE_SUBJECT(subject);
      LadenRegion laden(subject);
      laden.stop_halfway();
      if (truncated) laden.region.broker.truncate(kShop, 2);
      // Every key of the layout must be met here in use.
      REQUIRE(redis::integer(*need(subject.other().call({"DEL", key.name}))) == 1);
      laden.beat();
      // The next commit writes the time anew: that of the heartbeats, when nothing else comes.
      const bool by_commit = key.name == redis::kHlc.name;
      laden.region.run(by_commit ? 2 * laden.region.settings.heartbeat_silence : Millis{30'000});
      const bool lost = key.name == redis::kUnfinished.name ||  // found by and by, and said
                        key.name == redis::kParked.name ||
                        key.name == redis::kDiscarded.name;  // only a person's deed was noted there
      if (!lost && !truncated) {
        CHECK(redis::integer(*need(subject.other().call({"EXISTS", key.name}))) == 1);
      }
      laden.go_on();
      if (!truncated) CHECK(laden.converged());
      if (laden.converged()) {
        CHECK(laden.right());
        CHECK(need(laden.region.store()->deferring_keys(10)).empty());
      }
    }
  }
}

TEST_CASE("what many blocked keys have seen is told as nothing until it is known again") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft draft;
  draft.token = "";
  for (int i = 0; i < 1001; ++i) {
    KeyBlock block;
    block.before[ActorId{1}] = Seq{static_cast<std::uint64_t>(5 + i % 3)};
    draft.block("k" + std::to_string(i), "", block);
  }
  draft.advance(ActorId{1}, 0, 10);
  need(draft.advance(ActorId{2}, 0, 10).commit(*store));
  const auto context = [&] {
    const ReplicaContext told = need(store->context());
    return std::pair(told.watermark.get(ActorId{1}), told.watermark.get(ActorId{2}));
  };
  CHECK(context() == std::pair(Seq{5}, Seq{10}));
  need(subject.other().call({"DEL", "tributary:blocked:lowest"}));
  CHECK(context() == std::pair(Seq{0}, Seq{0}));
  need(store->walk("", 10));
  CHECK(context() == std::pair(Seq{5}, Seq{10}));
}

}  // namespace tributary::replica_tests

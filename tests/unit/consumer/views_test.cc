#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;
using crdt::ViewKind;

namespace {

void fill_cart(RegionUnderTest& region) {
  region.publish(set_batch(kShop, kShopActor, 1, "cart:1", "add", "a"));
  region.publish(set_batch(kShop, kShopActor, 2, "cart:1", "add", "b"));
  region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "add", "c"));
  region.run(Millis{500});
  REQUIRE(region.view("cart:1") == "{a,b,c}");
}

const ConsumerSettings kNoScrub{.scrub_keys_per_second = 0};

}  // namespace

TEST_CASE("a view that expired is made whole by the next change to it") {
  RegionUnderTest region(kNoScrub);
  fill_cart(region);
  region.replica.drop_view("cart:1");
  region.publish(set_batch(kShop, kShopActor, 3, "cart:1", "add", "d"));
  region.run(Millis{500});
  CHECK(region.view("cart:1") == "{a,b,c,d}");
}

TEST_CASE("the scrub finds views that expired, were changed, or are foreign") {
  RegionUnderTest region;
  fill_cart(region);
  region.publish(counter_batch(kShop, kShopActor, 3, "stock:1", 5));
  region.run(Millis{500});
  region.replica.drop_view("cart:1");
  region.replica.tamper("stock:1", ViewKind::kString, "77");
  region.run(Millis{1000});
  CHECK(region.view("cart:1") == "{a,b,c}");
  CHECK(region.view("stock:1") == "5");
  CHECK(region.counter("tributary_consumer_views_mended_total") == 2);
  region.replica.tamper("stock:1", ViewKind::kSet, "mine");
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "{mine}");
  REQUIRE(region.store()->blocked({}, 10)->size() == 1);
  region.replica.drop_view("stock:1");
  CHECK(retry_all(*region.store(), {})->unblocked == 1);
  CHECK(region.view("stock:1") == "5");
}

TEST_CASE("a damaged state blocks its key only, and is rebuilt from the changelogs") {
  for (const auto how : {MemoryReplica::Damage::kBytes, MemoryReplica::Damage::kStray,
                         MemoryReplica::Damage::kNoVersion}) {
    RegionUnderTest region(kNoScrub);
    fill_cart(region);
    region.replica.damage("cart:1", how);
    region.publish(set_batch(kShop, kShopActor, 3, "cart:1", "remove", "a"));
    region.publish(counter_batch(kShop, kShopActor, 4, "stock:1", 5));
    region.run(Millis{500});
    CHECK(region.view("stock:1") == "5");
    CHECK(region.store()->blocked({}, 10)->size() == 1);
    region.rebuild();
    CHECK(region.view("cart:1") == "{b,c}");
    CHECK(region.store()->blocked({}, 10)->empty());
    region.publish(set_batch(kShop, kShopActor, 5, "cart:1", "add", "z"));
    region.run(Millis{500});
    CHECK(region.view("cart:1") == "{b,c,z}");
  }
}

TEST_CASE("a state that claims another type is rebuilt, and its view is not called foreign") {
  RegionUnderTest region({.schema = {{{"cart:*", "set"}, {"stock:*", "counter"}}, {}}});
  fill_cart(region);
  region.publish(counter_batch(kShop, kShopActor, 3, "stock:1", 5));
  region.run(Millis{500});
  for (const std::string key : {"cart:1", "stock:1"}) {
    CAPTURE(key);
    region.replica.damage(key, MemoryReplica::Damage::kType);
    region.run(Millis{1000});
    const auto blocked = *region.store()->blocked({}, 10);
    REQUIRE(blocked.size() == 1);
    CHECK(blocked.front().second.incomplete);
    CHECK(blocked.front().second.reason.find("no state of a") != std::string::npos);
    region.rebuild();
    CHECK(region.store()->blocked({}, 10)->empty());
    region.clock.now += std::chrono::seconds(20);
  }
  CHECK(region.view("cart:1") == "{a,b,c}");
  CHECK(region.view("stock:1") == "5");
}

TEST_CASE("a view without its state is rebuilt from the changelogs") {
  RegionUnderTest region(kNoScrub);
  region.replica.tamper("cart:1", ViewKind::kSet, "older");
  region.publish(set_batch(kShop, kShopActor, 1, "cart:1", "add", "a"));
  region.run(Millis{500});
  CHECK(region.store()->blocked({}, 10)->size() == 1);
  region.rebuild();
  CHECK(region.view("cart:1") == "{a}");
}

TEST_CASE("what the changelogs no longer hold whole is not rebuilt from them") {
  RegionUnderTest region(kNoScrub);
  fill_cart(region);
  region.broker.truncate(kShop, 1);
  region.replica.damage("cart:1", MemoryReplica::Damage::kStray);
  region.publish(set_batch(kTill, kTillActor, 2, "cart:1", "add", "d"));
  region.run(Millis{500});
  region.rebuild();
  const auto blocked = *region.store()->blocked({}, 10);
  REQUIRE(blocked.size() == 1);
  CHECK(blocked.front().second.reason.find("copy the replica of a region that lacks nothing") !=
        std::string::npos);
  CHECK(region.view("cart:1") == "{a,b,c}");
}

TEST_CASE("what a former actor got in before its successor's record is rebuilt, too") {
  RegionUnderTest region;
  region.publish(set_batch(kShop, kShopActor, 1, "cart:1", "add", "pear"));
  region.publish(set_batch(kShop, kShopActor, 2, "cart:1", "add", "plum"));
  Batch record = heartbeat(kShop, ActorId{9}, 0);
  record.predecessor = {kShopActor, Seq{1}};
  region.publish(record);
  region.run(Millis{300});
  CHECK(region.view("cart:1") == "{pear,plum}");
  region.replica.damage("cart:1", MemoryReplica::Damage::kBytes);
  region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "add", "fig"));
  region.run(Millis{300});
  region.rebuild();
  CHECK(region.view("cart:1") == "{fig,pear,plum}");
  CHECK(region.parked().empty());
}

TEST_CASE(
    "a changelog that is gone, or away, stops the rebuilding of no key that needs nothing of it") {
  RegionUnderTest region(kNoScrub);
  region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "add", "c"));
  region.run(Millis{500});
  SUBCASE("it was deleted") { region.broker.delete_log(kShop); }
  SUBCASE("it is away") { region.broker.refuse("consumer", kShop, true); }
  region.replica.damage("cart:1", MemoryReplica::Damage::kBytes);
  region.publish(set_batch(kTill, kTillActor, 2, "cart:1", "add", "d"));
  region.run(Millis{500});
  REQUIRE(region.store()->blocked({}, 10)->size() == 1);
  region.rebuild();
  CHECK(region.store()->blocked({}, 10)->empty());
  CHECK(region.view("cart:1") == "{c,d}");
}

TEST_CASE("a key that needs a changelog that cannot be read says so, and is made when it is back") {
  RegionUnderTest region(kNoScrub);
  fill_cart(region);
  region.replica.damage("cart:1", MemoryReplica::Damage::kBytes);
  region.publish(set_batch(kTill, kTillActor, 2, "cart:1", "add", "d"));
  region.run(Millis{500});
  region.broker.refuse("consumer", kShop, true);
  region.rebuild();
  const auto blocked = *region.store()->blocked({}, 10);
  REQUIRE(blocked.size() == 1);
  const std::string& reason = blocked.front().second.reason;
  CHECK(reason.find("waits for the changelog of origin \"shop\"") != std::string::npos);
  CHECK(reason.find("copy the replica of a region that lacks nothing") != std::string::npos);
  CHECK(region.view("cart:1") == "{a,b,c}");
  region.broker.refuse("consumer", kShop, false);
  region.run(std::chrono::minutes(1));
  region.rebuild();
  CHECK(region.store()->blocked({}, 10)->empty());
  CHECK(region.view("cart:1") == "{a,b,c,d}");
}

TEST_CASE("a commit that stopped half-way is completed") {
  RegionUnderTest region(kNoScrub);
  fill_cart(region);
  bool once = true;
  region.replica.set_fault_hook([&](MemoryReplica::Call call) {
    if (call != MemoryReplica::Call::kCommit || !once) return MemoryReplica::Fault::kNone;
    once = false;
    return MemoryReplica::Fault::kHalfway;
  });
  region.publish(set_batch(kShop, kShopActor, 3, "cart:1", "remove", "a"));
  region.run(Millis{3000});
  CHECK(!once);
  CHECK(region.view("cart:1") == "{b,c}");
  CHECK(region.store()->progress()->unfinished.empty());
}

TEST_CASE("a replica that went back is not pruned by what it held before") {
  for (const bool back : {false, true}) {
    RegionUnderTest region;
    region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "remove", "e", seen({{1, 1}})));
    region.publish(set_batch(kTill, kTillActor, 2, "cart:2", "remove", "x", seen({{9, 5}})));
    region.run(Millis{500});
    const auto snapshot = region.replica.snapshot();
    region.publish(set_batch(kShop, kShopActor, 1, "cart:1", "add", "e"));
    region.run(Millis{2000});
    if (back) region.replica.restore(snapshot);
    region.run(Millis{2000});
    CHECK(region.watermark(kShopActor) == 1);
    CHECK(region.view("cart:1") == "(none)");
  }
}

TEST_CASE("while the replica is away the gauges say so") {
  RegionUnderTest region;
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 5));
  region.run(Millis{500});
  CHECK(region.gauge("tributary_consumer_replica_connected") == 1);
  region.replica.set_fault_hook([](MemoryReplica::Call) { return MemoryReplica::Fault::kBefore; });
  region.run(Millis{1000});
  CHECK(region.gauge("tributary_consumer_replica_connected") == 0);
  region.replica.set_fault_hook({});
  region.run(Millis{10'000});
  CHECK(region.gauge("tributary_consumer_replica_connected") == 1);
}

TEST_CASE("a key whose comparison ends the replica's session is left out of it, and all goes on") {
  RegionUnderTest region;
  fill_cart(region);
  int looks = 0;
  region.replica.set_fault_hook([&](MemoryReplica::Call call) {
    if (call != MemoryReplica::Call::kView) return MemoryReplica::Fault::kNone;
    ++looks;
    return MemoryReplica::Fault::kBefore;
  });
  region.run(Millis{60'000});
  CHECK(looks == 3);
  region.publish(set_batch(kShop, kShopActor, 3, "cart:1", "add", "d"));
  region.run(Millis{500});
  CHECK(region.view("cart:1") == "{a,b,c,d}");
}

TEST_CASE("a stray key that is taken away frees its key within moments") {
  RegionUnderTest region;
  fill_cart(region);
  region.replica.damage("stock:9", MemoryReplica::Damage::kStray);  // no changelog knows the key
  region.run(Millis{1000});
  region.rebuild();
  REQUIRE(region.store()->blocked({}, 10)->size() == 1);
  region.replica.drop_state("stock:9");
  region.rebuild();
  CHECK(region.store()->blocked({}, 10)->empty());
}

TEST_CASE("a key that could not be rebuilt is tried again by a retry, and every minute") {
  RegionUnderTest region(kNoScrub);
  const Batch first = set_batch(kShop, kShopActor, 1, "cart:1", "add", "a");
  const Batch second = set_batch(kShop, kShopActor, 2, "cart:1", "add", "b");
  region.publish(first);
  region.publish(second);
  region.run(Millis{500});
  region.replica.damage("cart:1", MemoryReplica::Damage::kBytes);
  region.broker.delete_log(kShop);
  REQUIRE(region.changelog->declare(kShop));
  region.publish(set_batch(kShop, kShopActor, 3, "cart:1", "add", "c"));
  region.run(Millis{500});
  region.rebuild();
  REQUIRE(region.store()->blocked({}, 10)->front().second.reason.find("cannot be rebuilt") !=
          std::string::npos);
  region.broker.delete_log(kShop);  // refilled from the origin's batches
  REQUIRE(region.changelog->declare(kShop));
  region.publish(first);
  region.publish(second);
  region.publish(set_batch(kShop, kShopActor, 3, "cart:1", "add", "c"));
  region.rebuild();
  REQUIRE(region.store()->blocked({}, 10)->size() == 1);  // not at every step
  SUBCASE("when a person retries it") {
    CHECK_FALSE(retry_key(*region.store(), {}, "cart:1")->reason.empty());
  }
  SUBCASE("after a minute") { region.run(std::chrono::minutes(1)); }
  region.rebuild();
  CHECK(region.store()->blocked({}, 10)->empty());
  CHECK(region.view("cart:1") == "{a,b,c}");
}

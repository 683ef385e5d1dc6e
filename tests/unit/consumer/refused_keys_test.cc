/// Keys that the replica's user may not touch.
#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;

namespace {

const ConsumerSettings kNoScrub{.scrub_keys_per_second = 0};

/// The reason why the key is blocked; empty: it is not.
std::string blocked_by(RegionUnderTest& region, const std::string& key) {
  const auto blocked = *region.store()->blocked({}, 100);
  for (const auto& [name, block] : blocked) {
    if (name == key) return block.reason;
  }
  return {};
}

}  // namespace

TEST_CASE("a change that edits no view is set aside, too, when its key may not be touched") {
  RegionUnderTest region(kNoScrub);
  region.replica.refuse({"cart:1"});
  region.publish(set_batch(kShop, kShopActor, 1, "cart:1", "remove", "a", seen({{2, 1}})));
  region.publish(counter_batch(kShop, kShopActor, 2, "stock:1", 5));
  region.run(Millis{500});
  CHECK(region.view("stock:1") == "5");
  CHECK(blocked_by(region, "cart:1").find("may not touch") != std::string::npos);
  region.replica.refuse({});
  CHECK(retry_all(*region.store(), {})->unblocked == 1);
  region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "add", "a"));
  region.run(Millis{500});
  CHECK(region.view("cart:1") == "(none)");
}

TEST_CASE("a key that may not be touched is not rebuilt before it may") {
  RegionUnderTest region(kNoScrub);
  region.publish(set_batch(kShop, kShopActor, 1, "cart:1", "add", "a"));
  region.run(Millis{500});
  region.replica.damage("cart:1", MemoryReplica::Damage::kBytes);
  region.publish(set_batch(kShop, kShopActor, 2, "cart:1", "add", "b"));
  region.run(Millis{500});
  region.replica.refuse({"cart:1"});
  region.rebuild();
  CHECK(!blocked_by(region, "cart:1").empty());
  region.publish(counter_batch(kShop, kShopActor, 3, "stock:1", 5));
  region.run(Millis{500});
  CHECK(region.view("stock:1") == "5");
  region.replica.refuse({});
  region.clock.now += Millis{20'000};
  region.rebuild();
  CHECK(blocked_by(region, "cart:1").empty());
  CHECK(region.view("cart:1") == "{a,b}");
}

TEST_CASE("removes that wait in a key that may not be touched stop nothing") {
  RegionUnderTest region(kNoScrub);
  region.publish(set_batch(kShop, kShopActor, 1, "cart:1", "remove", "a", seen({{2, 1}})));
  region.run(Millis{500});
  region.replica.refuse({"cart:1"});
  region.publish(counter_batch(kTill, kTillActor, 1, "stock:1", 5));
  region.run(Millis{5000});
  CHECK(region.view("stock:1") == "5");
  region.replica.refuse({});
  region.run(Millis{5000});
  CHECK(region.store()->deferring_keys(10)->empty());
}

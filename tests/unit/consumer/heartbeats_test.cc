/// What heartbeats of idle origins cost a region, and what it still knows of them.
#include <doctest/doctest.h>

#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;

namespace {

/// It has applied what its origins wrote; they say no more than that they are there.
struct IdleRegion : RegionUnderTest {
  int commits = 0;
  std::string token;

  IdleRegion() {
    publish(counter_batch(kShop, kShopActor, 1, "stock:1", 5));
    publish(counter_batch(kTill, kTillActor, 1, "stock:1", 7));
    pass(Millis{5000});
    token = *store()->token();
    commits = 0;
  }
  /// Time passes, and commits are counted.
  void pass(Micros time) {
    for (const Micros end = clock.now + time; clock.now < end;) {
      run(Millis{100});
      clock.now += std::min<Micros>(Millis{900}, end - clock.now);
      const std::string next = *store()->token();
      commits += next == token ? 0 : 1;
      token = next;
    }
  }
  void beat(const OriginName& origin, ActorId actor, std::uint64_t time) {
    Batch batch = heartbeat(origin, actor, 1);
    batch.hlc = Hlc{time};
    publish(batch);
  }
  OriginProgress stored(const OriginName& origin) {
    return store()->progress()->origins.at(origin);
  }
};

}  // namespace

TEST_CASE("heartbeats of idle origins are committed together, every five minutes") {
  IdleRegion region;
  for (std::uint64_t half = 1; half <= 120; ++half) {  // minutes
    region.beat(kShop, kShopActor, 10 + half);
    region.pass(Millis{15'000});
    region.beat(kTill, kTillActor, 10 + half);
    region.pass(Millis{15'000});
    CHECK(region.stored(kShop).offset.value + 11 >= half);  // little to read again
  }
  CHECK(region.commits >= 11);
  CHECK(region.commits <= 13);
}

TEST_CASE("heartbeats go along with a commit that matters") {
  IdleRegion region;
  region.beat(kShop, kShopActor, 20);
  region.pass(Millis{2000});
  CHECK(region.stored(kShop).hlc == Hlc{1});
  region.publish(counter_batch(kTill, kTillActor, 2, "stock:1", 8));
  region.pass(Millis{2000});
  CHECK(region.stored(kShop).hlc == Hlc{20});
  CHECK(region.commits == 1);
}

TEST_CASE("when an origin falls silent, the replica soon tells since when") {
  IdleRegion region;
  region.beat(kShop, kShopActor, 20);
  region.pass(Millis{30'000});
  region.beat(kShop, kShopActor, 30);
  region.pass(Millis{50'000});
  CHECK(region.stored(kShop).hlc == Hlc{1});
  region.pass(Millis{12'000});
  CHECK(region.stored(kShop).hlc == Hlc{30});
  CHECK(region.commits == 1);
}

TEST_CASE("batches that are skipped are not read again for long") {
  IdleRegion region;
  for (int i = 0; i < 20; ++i) region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 5));
  region.pass(Millis{5000});
  CHECK(region.commits == 0);
  region.pass(Millis{6000});
  CHECK(region.commits == 1);
  CHECK(region.stored(kShop).offset == Offset{20});
}

TEST_CASE("a consumer that ends notes what it heard last") {
  IdleRegion region;
  region.beat(kShop, kShopActor, 20);
  region.pass(Millis{2000});
  CHECK(region.stored(kShop).hlc == Hlc{1});
  region.applier.finish();
  CHECK(region.stored(kShop).hlc == Hlc{20});
}

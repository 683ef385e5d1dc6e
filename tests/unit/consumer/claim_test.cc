/// Two regions whose topology leads to one replica.
#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;

namespace {

const ConsumerSettings kEu{.region = {"eu"}};

}  // namespace

TEST_CASE("a consumer writes nothing to a replica that another region's consumer writes to") {
  RegionUnderTest region(kEu);
  REQUIRE((*region.replica.open())->claim({"us"}, Millis{30'000}));
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 5));
  for (int i = 0; i < 10; ++i) {
    REQUIRE(region.shop.step(Millis{0}));
    const auto refused = region.applier.step();
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::kFatal);
    CHECK(refused.error().message.find("consumer of region \"us\"") != std::string::npos);
    CHECK(refused.error().message.find("region \"eu\"") != std::string::npos);
  }
  CHECK(region.watermark(kShopActor) == 0);
  region.replica.forget_consumer();  // it was a copy of the other's, or the region was renamed
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "5");
  CHECK(*region.store()->claimed_by() == RegionName{"eu"});
}

TEST_CASE("a consumer says so again and again that it writes, and sees that another one does") {
  RegionUnderTest region(kEu);
  region.run(Millis{1000});
  region.replica.forget_consumer();
  SUBCASE("nobody else does") {
    region.run(Millis{6000});
    CHECK(*region.store()->claimed_by() == RegionName{"eu"});
  }
  SUBCASE("another one does, however busy this one is") {
    REQUIRE(region.store()->claim({"us"}, Millis{30'000}));
    Result<Millis> stepped = Millis{0};
    for (std::uint64_t seq = 1; seq <= 80 && stepped; ++seq) {
      region.publish(counter_batch(kShop, kShopActor, seq, "stock:1", 1));
      REQUIRE(region.shop.step(Millis{0}));
      stepped = region.applier.step();
      region.clock.now += Millis{100};
    }
    REQUIRE(!stepped);
    CHECK(stepped.error().kind == ErrorKind::kFatal);
  }
}

TEST_CASE("two consumers of one region do not mind each other") {
  RegionUnderTest region(kEu);
  REQUIRE(region.store()->claim({"eu"}, Millis{30'000}));
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 5));
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "5");
}

/// Commits that stop half-way, wherever they do.
#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;
using crdt::ViewKind;

namespace {

/// More than a commit of these tests writes, so that one stops at each.
constexpr int kPlaces = 40;

Batch counted(std::uint64_t seq) {
  return counter_batch(kShop, kShopActor, seq, "stock:1", static_cast<std::int64_t>(seq));
}

/// The next commit stops somewhere, each time somewhere else.
void stop_next(RegionUnderTest& region) {
  region.replica.set_fault_hook([once = true](MemoryReplica::Call call) mutable {
    if (call != MemoryReplica::Call::kCommit || !std::exchange(once, false)) {
      return MemoryReplica::Fault::kNone;
    }
    return MemoryReplica::Fault::kHalfway;
  });
}

/// A key that is blocked, and two of its changes; of the region's `number`th commit on.
void blocked(RegionUnderTest& region, int number) {
  for (int i = 1; i <= number; ++i) {
    region.publish(counter_batch(kTill, kTillActor, static_cast<std::uint64_t>(i), "stock:2", i));
    region.run(Millis{100});
  }
  region.replica.tamper("stock:1", ViewKind::kSet, "foreign");
  region.publish(counted(1));
  region.publish(counted(2));
  region.run(Millis{1000});
  REQUIRE(region.parked().size() == 2);
}

void free(RegionUnderTest& region) {
  region.replica.drop_view("stock:1");
  const auto retried = retry_all(*region.store(), region.settings.schema);
  REQUIRE(retried);
  CHECK(retried->blocked == 0);
  CHECK(retried->unblocked == 1);
  CHECK(region.parked().empty());
}

}  // namespace

TEST_CASE("what a commit that stopped half-way set aside counts once") {
  for (int number = 0; number < kPlaces; ++number) {
    CAPTURE(number);
    RegionUnderTest region;
    blocked(region, number);
    stop_next(region);
    region.publish(counted(3));
    region.publish(counter_batch(kShop, kShopActor, 4, "stock:3", 7));
    region.run(Millis{5000});
    CHECK(region.store()->progress()->unfinished.empty());
    CHECK(region.watermark(kShopActor) == 4);
    CHECK(region.store()->blocked({}, 1)->front().second.bodies == 3);
    free(region);
    CHECK(region.view("stock:1") == "3");
    CHECK(region.view("stock:3") == "7");
  }
}

TEST_CASE("a retry that stopped half-way can be made once more") {
  for (int number = 0; number < kPlaces; ++number) {
    CAPTURE(number);
    RegionUnderTest region;
    blocked(region, number);
    region.replica.drop_view("stock:1");
    stop_next(region);
    CHECK(!retry_all(*region.store(), region.settings.schema));
    const auto early = retry_all(*region.store(), region.settings.schema);
    REQUIRE(early);
    region.run(Millis{5000});
    const auto retried = retry_all(*region.store(), region.settings.schema);
    REQUIRE(retried);
    CHECK(retried->blocked == 0);
    CHECK(region.parked().empty());
    CHECK(region.view("stock:1") == "2");
    CHECK(region.store()->progress()->unfinished.empty());
  }
}

TEST_CASE("a discard that stopped half-way can be made once more") {
  for (int number = 0; number < kPlaces; ++number) {
    CAPTURE(number);
    RegionUnderTest region;
    blocked(region, number);
    const std::string first = region.parked().front().id;
    stop_next(region);
    CHECK(!discard_parked(*region.store(), {first}));
    region.run(Millis{5000});
    REQUIRE(discard_parked(*region.store(), {first}));
    REQUIRE(region.parked().size() == 1);
    free(region);
    CHECK(region.view("stock:1") == "2");
  }
}

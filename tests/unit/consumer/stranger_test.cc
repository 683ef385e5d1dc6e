/// Deferred removes that wait for an actor of which nobody has heard.
#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;

namespace {

constexpr Micros kHour = std::chrono::hours(1);

std::size_t deferring(RegionUnderTest& region) {
  return region.store()->deferring_keys(10)->size();
}

/// The origin says that it is `later` than at first.
void speak(RegionUnderTest& region, const OriginName& origin, ActorId actor, Seq head,
           Micros later) {
  region.publish(Batch{.actor = actor,
                       .origin = origin,
                       .first_seq = head.next(),
                       .last_seq = head,
                       .hlc = Hlc::from_micros(static_cast<std::uint64_t>(later.count()))});
}

/// The replica's session ends, and another begins.
void new_session(RegionUnderTest& region) {
  region.replica.meddle([](ReplicaProgress& progress) { progress.token += "x"; });
}

}  // namespace

TEST_CASE("a deferred remove that waits for an actor nobody ever was ends") {
  RegionUnderTest region;
  region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "remove", "x", seen({{9, 5}})));
  region.run(Millis{500});
  CHECK(deferring(region) == 1);
  region.publish(heartbeat(kShop, kShopActor, 0));
  region.publish(set_batch(kShop, kShopActor, 1, "cart:2", "add", "x"));
  region.publish(set_batch(kTill, kTillActor, 2, "cart:2", "add", "y"));
  region.run(Millis{5000});
  region.clock.now += kHour;
  region.run(Millis{15'000});
  CHECK(deferring(region) == 1);  // some origin's clock may be ahead
  speak(region, kShop, kShopActor, Seq{1}, kHour + Millis{1000});
  region.run(Millis{15'000});
  CHECK(deferring(region) == 1);
  speak(region, kTill, kTillActor, Seq{2}, kHour + Millis{1000});
  region.run(Millis{15'000});
  CHECK(deferring(region) == 0);
}

TEST_CASE("a clock that is hours ahead does not end it at once") {
  RegionUnderTest region;
  region.publish(heartbeat(kShop, kShopActor, 0));
  region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "remove", "x", seen({{9, 5}})));
  region.run(Millis{500});
  speak(region, kShop, kShopActor, Seq{0}, 10 * kHour);
  speak(region, kTill, kTillActor, Seq{1}, 10 * kHour);
  region.run(Millis{15'000});
  CHECK(deferring(region) == 1);
}

TEST_CASE("it ends though sessions with the replica are short") {
  RegionUnderTest region;
  region.publish(heartbeat(kShop, kShopActor, 0));
  region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "remove", "x", seen({{9, 5}})));
  region.run(Millis{5000});
  for (int part = 1; part <= 4; ++part) {
    region.clock.now += kHour / 3;
    new_session(region);
    speak(region, kShop, kShopActor, Seq{0}, part * (kHour / 3));
    speak(region, kTill, kTillActor, Seq{1}, part * (kHour / 3));
    region.run(Millis{15'000});
  }
  CHECK(deferring(region) == 0);
}

TEST_CASE("an origin that never spoke keeps its own actors' removes and no others") {
  RegionUnderTest region;
  ActorId actor{9};
  std::size_t kept = 0;
  SUBCASE("an actor of nobody") {}
  SUBCASE("an actor that was made for it") {
    actor = ActorId::make(kShop, 77);
    kept = 1;
  }
  SUBCASE("an actor that was made for it, and it is retired") {
    actor = ActorId::make(kShop, 77);
    region.settings.retired.insert(kShop);
    kept = 1;  // its stream may be read yet
  }
  region.publish(
      set_batch(kTill, kTillActor, 1, "cart:1", "remove", "x", seen({{actor.value, 5}})));
  region.run(Millis{5000});
  CHECK(deferring(region) == 1);
  region.clock.now += kHour;
  speak(region, kTill, kTillActor, Seq{1}, kHour + Millis{1000});
  region.run(Millis{15'000});
  CHECK(deferring(region) == kept);
}

TEST_CASE("an origin that spoke and is retired does not keep them") {
  RegionUnderTest region({.retired = {kShop}});
  region.publish(set_batch(kShop, kShopActor, 1, "cart:2", "add", "x"));
  region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "remove", "x", seen({{9, 5}})));
  region.run(Millis{5000});
  CHECK(deferring(region) == 1);
  region.clock.now += kHour;
  speak(region, kTill, kTillActor, Seq{1}, kHour + Millis{1000});
  region.run(Millis{15'000});
  CHECK(deferring(region) == 0);
}

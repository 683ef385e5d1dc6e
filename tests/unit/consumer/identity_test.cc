#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;

TEST_CASE("a stream that speaks in the name of another origin's actor is not obeyed") {
  RegionUnderTest region;
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:2", 1));
  region.run(Millis{500});
  Batch forged = counter_batch(kTill, kShopActor, 2, "stock:1", 777);
  forged.last_seq = Seq{1'000'000};
  region.publish(forged);
  Batch heir = counter_batch(kTill, kTillActor, 1, "stock:1", 778);
  heir.predecessor = FormerActor{kShopActor, Seq{1}};
  region.publish(heir);
  region.run(Millis{500});
  for (std::uint64_t seq = 2; seq <= 5; ++seq) {
    region.publish(counter_batch(kShop, kShopActor, seq, "stock:2", static_cast<int>(seq)));
  }
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "(none)");
  CHECK(region.view("stock:2") == "5");
  CHECK(region.parked().size() == 2);
}

TEST_CASE(
    "an actor that was made for one origin is bound to no other, though that one speaks first") {
  RegionUnderTest region;
  const ActorId actor = ActorId::make(kShop, 7);
  region.publish(counter_batch(kTill, actor, 1, "stock:1", 777));
  Batch heir = heartbeat(kTill, kTillActor, 0);
  heir.predecessor = FormerActor{actor, Seq{0}};
  region.publish(heir);
  region.run(Millis{500});
  CHECK(region.parked().size() == 2);
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    region.publish(counter_batch(kShop, actor, seq, "stock:2", static_cast<int>(seq)));
  }
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "(none)");
  CHECK(region.view("stock:2") == "5");
  CHECK(region.parked().size() == 2);
}

TEST_CASE("what comes of an actor behind its final seq is void") {
  RegionUnderTest region;
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 1));
  Batch next = counter_batch(kShop, ActorId{5}, 1, "stock:1", 10);
  next.predecessor = FormerActor{kShopActor, Seq{1}};
  region.publish(next);
  region.publish(counter_batch(kShop, kShopActor, 2, "stock:1", 500));  // sat in a socket
  region.publish(counter_batch(kShop, ActorId{5}, 2, "stock:1", 20));
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "21");
  CHECK(region.counter("tributary_consumer_void_batches_total") == 1);
  CHECK(region.parked().empty());
}

TEST_CASE("a new actor that does not name the live one takes nothing over") {
  RegionUnderTest region;
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 1));
  Batch second = counter_batch(kShop, ActorId{5}, 1, "stock:1", 10);
  second.predecessor = FormerActor{kShopActor, Seq{1}};
  region.publish(second);
  region.run(Millis{500});
  Batch intruder = counter_batch(kShop, ActorId{6}, 1, "stock:1", 500);
  Batch beat = heartbeat(kShop, ActorId{6}, 0);
  std::size_t parked = 1;
  SUBCASE("by a heartbeat that names nobody") {
    region.publish(beat);
    parked = 0;
  }
  SUBCASE("by a batch that names nobody") { region.publish(intruder); }
  SUBCASE("by a batch that names nobody, and is not its first") {
    intruder = counter_batch(kShop, ActorId{6}, 9, "stock:1", 500);
    region.publish(intruder);
  }
  SUBCASE("by a batch that names one before the live one") {
    intruder.predecessor = FormerActor{kShopActor, Seq{1}};
    region.publish(intruder);
  }
  SUBCASE("by heartbeats without end") {
    for (int i = 0; i < 50; ++i) region.publish(beat);
    region.publish(intruder);
  }
  region.publish(counter_batch(kShop, ActorId{5}, 2, "stock:1", 20));
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "21");
  REQUIRE(region.parked().size() == parked);
  for (const ParkedEntry& each : region.parked()) {
    CHECK(each.reason.find("does not name actor") != std::string::npos);
  }
  const ReplicaProgress progress = *region.store()->progress();
  CHECK(progress.origins.at(kShop).actor == ActorId{5});
  CHECK_FALSE(progress.actors.at(ActorId{5}).final_seq);
  CHECK_FALSE(progress.actors.contains(ActorId{6}));
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 0);
}

TEST_CASE("a new actor that names the live one behind others takes over") {
  RegionUnderTest region;
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 1));
  Batch next = counter_batch(kShop, ActorId{6}, 1, "stock:1", 10);
  next.predecessor = FormerActor{ActorId{5}, Seq{}};  // published nothing, so nobody knows it
  next.earlier = {FormerActor{kShopActor, Seq{1}}};
  region.publish(next);
  region.run(Millis{500});
  CHECK(region.view("stock:1") == "11");
  CHECK(region.parked().empty());
  CHECK(region.store()->progress()->actors.at(kShopActor).final_seq == Seq{1});
}

TEST_CASE("an old actor's batch, sent again, neither moves its origin back nor the lag") {
  RegionUnderTest region;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) {
    region.publish(counter_batch(kShop, kShopActor, seq, "stock:1", static_cast<int>(seq)));
  }
  Batch next = counter_batch(kShop, ActorId{5}, 1, "stock:1", 1);
  next.predecessor = FormerActor{kShopActor, Seq{3}};
  region.publish(next);
  region.run(Millis{500});
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 1));
  region.run(Millis{500});
  CHECK(region.gauge("tributary_consumer_lag_changes", "shop") == 0);
  const ReplicaProgress progress = *region.store()->progress();
  CHECK(progress.origins.at(kShop).actor == ActorId{5});
  CHECK(progress.actors.at(kShopActor).final_seq == Seq{3});
}

TEST_CASE("a context that no writer can have seen is not obeyed, and its key goes on") {
  RegionUnderTest region;
  region.publish(set_batch(kShop, kShopActor, 1, "cart:1", "add", "before"));
  region.run(Millis{300});
  region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "clear", "", seen({{1, 1ULL << 62}})));
  region.publish(set_batch(kTill, kTillActor, 2, "cart:2", "add", "other"));
  region.run(Millis{300});
  region.publish(set_batch(kShop, kShopActor, 2, "cart:1", "add", "after"));
  region.run(Millis{5000});
  CHECK(region.view("cart:1") == "{after,before}");
  CHECK(region.view("cart:2") == "{other}");
  CHECK(region.parked().size() == 1);
}

TEST_CASE("a key that is Tributary's own is not written") {
  RegionUnderTest region;
  region.publish(counter_batch(kShop, kShopActor, 1, "tributary:watermark", 7));
  region.run(Millis{500});
  CHECK(region.view("tributary:watermark") == "(none)");
  CHECK(region.parked().size() == 1);
}

TEST_CASE("an origin of which it is not known what was applied stops alone, until it is known") {
  RegionUnderTest region;
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 1));
  region.publish(counter_batch(kTill, kTillActor, 1, "stock:2", 1));
  region.run(Millis{500});
  region.replica.meddle([](ReplicaProgress& progress) {
    progress.watermark.erase(kShopActor);
    progress.doubtful[kShopActor] = "a field is damaged";
    progress.token = "another";  // whoever opens it anew
  });
  region.publish(counter_batch(kShop, kShopActor, 2, "stock:1", 2));
  region.publish(counter_batch(kTill, kTillActor, 2, "stock:2", 2));
  region.run(Millis{60'000});
  CHECK(region.view("stock:1") == "1");
  CHECK(region.view("stock:2") == "2");
  CHECK(region.parked().empty());
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 1);
  CHECK(region.gauge("tributary_consumer_stopped", "till") == 0);
  region.replica.meddle([](ReplicaProgress& progress) {
    progress.watermark.raise(kShopActor, Seq{1});
    progress.doubtful.clear();
  });
  region.run(Millis{60'000});
  CHECK(region.view("stock:1") == "2");
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 0);
}

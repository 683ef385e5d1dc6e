#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;

namespace {

/// A shop's batches, each behind the one before.
struct Chain {
  RegionUnderTest& region;
  HistoryDigest history = {};

  void publish(Batch batch) {
    batch.before = history;
    const std::string bytes = encode(batch);
    if (!batch.heartbeat()) history = history_of(bytes);
    region.publish(kShop, bytes);
  }
  void add(std::uint64_t seq, std::int64_t total) {
    publish(counter_batch(kShop, kShopActor, seq, "stock:1", total));
  }
};

bool stopped(RegionUnderTest& region) {
  return region.gauge("tributary_consumer_stopped", "shop") == 1;
}

}  // namespace

TEST_CASE("what follows on other changes than a region applied is not applied there") {
  RegionUnderTest region;
  Chain here{region};
  here.add(1, 1);
  here.add(2, 5);
  region.run(Millis{500});
  REQUIRE(region.view("stock:1") == "5");
  RegionUnderTest elsewhere;
  Chain other{elsewhere};
  other.add(1, 1);
  other.add(2, 99);
  here.history = other.history;
  SUBCASE("a batch") { here.add(3, 100); }
  SUBCASE("a heartbeat") { here.publish(heartbeat(kShop, kShopActor, 2)); }
  SUBCASE("a new actor") {
    Batch next = counter_batch(kShop, ActorId{5}, 1, "stock:1", 100);
    next.predecessor = FormerActor{kShopActor, Seq{2}};
    next.former_history = other.history;
    region.publish(next);
  }
  SUBCASE("a new actor behind one that published nothing") {
    Batch next = heartbeat(kShop, ActorId{6}, 0);
    next.predecessor = FormerActor{ActorId{5}, Seq{}};
    next.earlier = {FormerActor{kShopActor, Seq{2}}};
    next.former_history = other.history;
    region.publish(next);
  }
  region.publish(counter_batch(kTill, kTillActor, 1, "stock:2", 7));
  region.run(Millis{1000});
  CHECK(stopped(region));
  CHECK(region.view("stock:1") == "5");
  CHECK(region.view("stock:2") == "7");
  region.run(std::chrono::minutes(5));
  CHECK(stopped(region));
  CHECK(region.parked().empty());
  CHECK(region.store()->progress()->origins.at(kShop).actor == kShopActor);
}

TEST_CASE("what follows on other changes keeps nothing away that fits, and comes behind it") {
  for (const bool followed : {false, true}) {
    RegionUnderTest region;
    Chain chain{region};
    chain.add(1, 1);
    Chain fork = chain;
    fork.history = {77};
    Batch next = counter_batch(kShop, ActorId{5}, 1, "stock:1", 4);
    next.predecessor = FormerActor{kShopActor, Seq{1}};
    next.former_history = fork.history;
    SUBCASE("a batch") { fork.add(2, 99); }
    SUBCASE("a heartbeat") { fork.publish(heartbeat(kShop, kShopActor, 1)); }
    SUBCASE("a new actor") { region.publish(next); }
    region.run(Millis{500});
    CHECK(stopped(region));
    chain.publish(heartbeat(kShop, kShopActor, 1));
    region.run(Millis{500});
    CHECK_FALSE(stopped(region));
    next.former_history = chain.history;
    if (followed) region.publish(next);
    else chain.add(2, 5);
    region.run(Millis{500});
    CHECK(region.view("stock:1") == "5");
    CHECK(region.parked().empty());
  }
}

TEST_CASE("a key that is made anew holds what its region applied, not what that refused") {
  RegionUnderTest region;
  Chain chain{region};
  chain.add(1, 1);
  Chain fork = chain;
  chain.add(2, 5);
  fork.add(2, 99);
  fork.add(3, 500);
  chain.add(3, 6);
  region.run(Millis{500});
  REQUIRE(region.view("stock:1") == "6");
  region.replica.damage("stock:1", MemoryReplica::Damage::kBytes);
  chain.add(4, 7);
  region.run(Millis{500});
  region.rebuild();
  CHECK(region.view("stock:1") == "7");
  CHECK_FALSE(stopped(region));
}

TEST_CASE("what follows on the same changes is applied") {
  RegionUnderTest region;
  Chain chain{region};
  chain.add(1, 1);
  chain.publish(heartbeat(kShop, kShopActor, 1));
  chain.add(2, 5);
  region.run(Millis{500});
  Batch next = counter_batch(kShop, ActorId{5}, 1, "stock:1", 100);
  next.predecessor = FormerActor{kShopActor, Seq{2}};
  next.former_history = chain.history;
  const std::string bytes = encode(next);
  region.publish(kShop, bytes);
  region.run(Millis{500});
  CHECK_FALSE(stopped(region));
  CHECK(region.view("stock:1") == "105");
  CHECK(region.store()->progress()->origins.at(kShop).history == history_of(bytes));
}

TEST_CASE("a batch with the seqs of another that was applied is skipped, and counted") {
  RegionUnderTest region;
  Chain chain{region};
  chain.add(1, 1);
  Chain fork = chain;
  chain.add(2, 5);
  fork.add(2, 99);
  chain.add(3, 6);
  region.run(Millis{500});
  CHECK(region.view("stock:1") == "6");
  CHECK_FALSE(stopped(region));
  CHECK(region.counter("tributary_consumer_forked_batches_total") == 1);
}

TEST_CASE("how far a region has got says which changes it got, also by heartbeats alone") {
  RegionUnderTest region;
  Chain chain{region};
  chain.add(1, 1);
  region.run(Millis{500});
  const auto history = [&] { return region.store()->progress()->origins.at(kShop).history; };
  CHECK(history() == chain.history);
  chain.publish(heartbeat(kShop, kShopActor, 1));
  chain.add(2, 5);
  region.run(Millis{500});
  CHECK(history() == chain.history);
}

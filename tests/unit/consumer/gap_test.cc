#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;

namespace {

/// seq n adds n.
Batch sum_batch(const OriginName& origin, std::uint64_t seq) {
  const ActorId actor = origin == kShop ? kShopActor : kTillActor;
  return counter_batch(origin, actor, seq, "c:" + origin.value,
                       static_cast<std::int64_t>(seq * (seq + 1) / 2));
}

}  // namespace

TEST_CASE("a gap stops its origin, the others go on, and a refilled log resumes it") {
  RegionUnderTest region;
  region.publish(sum_batch(kShop, 1));
  region.publish(sum_batch(kShop, 3));
  region.publish(heartbeat(kShop, kShopActor, 3));
  region.publish(sum_batch(kTill, 1));
  region.run(Millis{3000});
  CHECK(region.view("c:shop") == "1");
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 1);
  CHECK(region.gauge("tributary_consumer_lag_changes", "shop") == 2);

  region.publish(sum_batch(kTill, 2));
  region.run(Millis{3000});
  CHECK(region.view("c:shop") == "1");
  CHECK(region.view("c:till") == "3");

  region.publish(sum_batch(kShop, 2));
  region.publish(sum_batch(kShop, 3));
  region.run(Millis{1000});
  CHECK(region.view("c:shop") == "6");
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 0);
  CHECK(region.gauge("tributary_consumer_lag_changes", "shop") == 0);
}

TEST_CASE("a log that was deleted and made again is read from its start, once") {
  RegionUnderTest region;
  region.publish(sum_batch(kShop, 1));
  region.publish(heartbeat(kShop, kShopActor, 1));
  region.publish(heartbeat(kShop, kShopActor, 1));
  region.publish(sum_batch(kShop, 2));
  region.run(Millis{1000});
  REQUIRE(region.view("c:shop") == "3");
  region.broker.delete_log(kShop);
  REQUIRE(region.changelog->declare(kShop));
  for (std::uint64_t seq = 3; seq <= 9; ++seq) region.publish(sum_batch(kShop, seq));
  region.run(Millis{30'000});
  region.publish(heartbeat(kShop, kShopActor, 9));
  region.run(Millis{3000});
  CHECK(region.view("c:shop") == "45");
}

TEST_CASE("an origin that stands still at a gap does not read its log again and again") {
  RegionUnderTest region;
  double bytes = 0;
  for (std::uint64_t seq = 1; seq <= 1000; ++seq) {
    bytes += static_cast<double>(encode(sum_batch(kShop, seq)).size());
    region.publish(sum_batch(kShop, seq));
  }
  region.run(Millis{20'000});
  REQUIRE(region.watermark(kShopActor) == 1000);
  region.publish(sum_batch(kShop, 1002));
  for (int minute = 0; minute < 30; ++minute) {
    region.publish(heartbeat(kShop, kShopActor, 1002));
    region.run(std::chrono::minutes(1));
  }
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 1);
  CHECK(region.counter("tributary_consumer_read_bytes_total") < 2.5 * bytes);
}

TEST_CASE("what stands behind a gap is not read again by every session with the replica") {
  RegionUnderTest region;
  region.publish(sum_batch(kShop, 1));
  double bytes = 0;
  for (std::uint64_t seq = 3; seq <= 500; ++seq) {
    bytes += static_cast<double>(encode(sum_batch(kShop, seq)).size());
    region.publish(sum_batch(kShop, seq));
  }
  region.publish(heartbeat(kShop, kShopActor, 500));
  region.run(Millis{30'000});
  REQUIRE(region.gauge("tributary_consumer_stopped", "shop") == 1);
  const double read = region.counter("tributary_consumer_read_bytes_total");
  for (int session = 0; session < 20; ++session) {
    region.replica.set_fault_hook([once = true](MemoryReplica::Call) mutable {
      return std::exchange(once, false) ? MemoryReplica::Fault::kBefore
                                        : MemoryReplica::Fault::kNone;
    });
    region.run(Millis{2000});
  }
  CHECK(region.counter("tributary_consumer_read_bytes_total") - read < bytes);
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 1);
  for (std::uint64_t seq = 2; seq <= 500; ++seq) region.publish(sum_batch(kShop, seq));
  region.run(Millis{30'000});
  CHECK(region.view("c:shop") == "125250");
}

TEST_CASE("an origin that can set aside no more waits, and does not read all that follows") {
  RegionUnderTest region;
  for (int i = 0; i < 1005; ++i) region.publish(kShop, "no batch");
  double bytes = 0;
  for (std::uint64_t seq = 1; seq <= 1000; ++seq) {
    bytes += static_cast<double>(encode(sum_batch(kShop, seq)).size());
    region.publish(sum_batch(kShop, seq));
  }
  region.run(Millis{20'000});
  REQUIRE(region.gauge("tributary_consumer_stopped", "shop") == 1);
  const double read = region.counter("tributary_consumer_read_bytes_total");
  region.run(std::chrono::minutes(10));
  CHECK(region.counter("tributary_consumer_read_bytes_total") - read < bytes);
  std::vector<std::string> ids;
  for (const ParkedEntry& each : region.parked()) ids.push_back(each.id);
  REQUIRE(discard_parked(*region.store(), ids));
  region.run(std::chrono::minutes(2));
  CHECK(region.view("c:shop") == "500500");
}

TEST_CASE("a new actor is a gap while changes of the one before it are missing") {
  RegionUnderTest region;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) region.publish(sum_batch(kShop, seq));
  region.run(Millis{1000});
  Batch next = counter_batch(kShop, ActorId{5}, 1, "c:shop", 100);
  next.predecessor = FormerActor{kShopActor, Seq{5}};
  Batch beat = heartbeat(kShop, ActorId{5}, 1);
  beat.predecessor = next.predecessor;
  region.publish(next);
  region.publish(beat);
  region.run(Millis{8000});
  CHECK(region.view("c:shop") == "6");
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 1);
  CHECK(region.gauge("tributary_consumer_lag_changes", "shop") == 3);  // 4, 5 and the new 1

  region.publish(sum_batch(kShop, 4));
  region.publish(sum_batch(kShop, 5));
  region.publish(next);
  region.run(Millis{3000});
  CHECK(region.view("c:shop") == "115");
  CHECK(region.gauge("tributary_consumer_lag_changes", "shop") == 0);
}

TEST_CASE("a region that applied more than its origin tells of has no lag") {
  RegionUnderTest region;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) region.publish(sum_batch(kShop, seq));
  region.run(Millis{1000});
  SUBCASE("of a former actor") {
    Batch beat = heartbeat(kShop, ActorId{5}, 0);
    beat.predecessor = FormerActor{kShopActor, Seq{2}};
    region.publish(beat);
  }
  SUBCASE("of the one that goes on, in a copy of another region's replica") {
    region.replica.meddle([](ReplicaProgress& progress) {
      progress.token += "x";
      progress.watermark.raise(kShopActor, Seq{7});
    });
  }
  region.run(Millis{2000});
  CHECK(region.gauge("tributary_consumer_lag_changes", "shop") == 0);
}

TEST_CASE("an actor that published nothing does not hide what is missing of the one before it") {
  RegionUnderTest region;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) region.publish(sum_batch(kShop, seq));
  region.run(Millis{1000});
  Batch next = counter_batch(kShop, ActorId{5}, 1, "c:shop", 100);
  next.predecessor = FormerActor{ActorId{4}, Seq{}};
  next.earlier = {{kShopActor, Seq{5}}};
  Batch beat = heartbeat(kShop, ActorId{5}, 0);
  beat.predecessor = next.predecessor;
  beat.earlier = next.earlier;
  region.publish(beat);
  region.run(Millis{8000});
  CHECK(region.view("c:shop") == "6");
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 1);
  CHECK(region.gauge("tributary_consumer_lag_changes", "shop") == 2);

  region.publish(sum_batch(kShop, 4));
  region.publish(sum_batch(kShop, 5));
  region.publish(next);
  region.publish(counter_batch(kShop, ActorId{4}, 1, "c:shop", 7));  // void
  region.run(Millis{3000});
  CHECK(region.view("c:shop") == "115");
}

TEST_CASE("an actor whose record is at a gap has not taken over") {
  RegionUnderTest region;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) region.publish(sum_batch(kShop, seq));
  Batch empty = heartbeat(kShop, ActorId{5}, 0);
  empty.predecessor = FormerActor{kShopActor, Seq{5}};
  region.publish(empty);
  region.run(Millis{8000});
  const ReplicaProgress progress = *region.store()->progress();
  CHECK(progress.origins.at(kShop).actor == kShopActor);
  CHECK_FALSE(progress.actors.contains(ActorId{5}));
}

TEST_CASE("a message that is set aside is not committed again when the log is read again") {
  RegionUnderTest region;
  region.publish(kShop, "nonsense");
  region.publish(sum_batch(kShop, 1));
  region.publish(sum_batch(kShop, 3));
  region.publish(heartbeat(kShop, kShopActor, 3));
  region.run(Millis{8000});
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 1);  // after it was read twice
  CHECK(region.counter("tributary_consumer_parked_total") == 1);
  CHECK(region.parked().size() == 1);
}

TEST_CASE("a replica flushed under a running consumer is filled again, whatever actor speaks") {
  RegionUnderTest region;
  for (std::uint64_t seq = 1; seq <= 3; ++seq) region.publish(sum_batch(kShop, seq));
  region.run(Millis{1000});
  region.replica.flush();
  Batch beat = heartbeat(kShop, ActorId{5}, 0);
  beat.predecessor = FormerActor{kShopActor, Seq{3}};
  region.publish(beat);
  region.run(Millis{3000});
  CHECK(region.view("c:shop") == "6");
}

TEST_CASE("a flush of an idle region is noticed within a second") {
  RegionUnderTest region;
  region.publish(sum_batch(kShop, 1));
  region.run(Millis{1000});
  region.replica.flush();
  region.run(Millis{1500});
  CHECK(region.view("c:shop") == "1");
}

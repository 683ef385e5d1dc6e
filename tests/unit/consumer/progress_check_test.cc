/// Another program that writes to the replica's progress and leaves its token.
#include "consumer/progress_check.h"

#include <algorithm>

#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;

namespace {

constexpr std::uint64_t kActors = 3000;

KnownReplica known_in(ReplicaStore& store) {
  ReplicaProgress progress = *store.progress();
  return {progress.token, progress.watermark, progress.actors, progress.hlc, progress.doubtful};
}

/// A replica with many actors, and what is known of it.
struct Known {
  Known() {
    replica.meddle([](ReplicaProgress& progress) {
      progress.token = "t";
      for (std::uint64_t actor = 1; actor <= kActors; ++actor) {
        progress.watermark.raise(ActorId{actor}, Seq{actor});
        progress.actors[ActorId{actor}] = {kShop, Seq{actor}};
      }
    });
    known = known_in(*store);
    REQUIRE(look());
  }
  Result<void> look() { return check.step(*store, known, {}); }
  /// Looks until it is noticed; how often that was.
  int looks_until_noticed() {
    for (int looks = 1; looks <= 100; ++looks) {
      if (!look()) return looks;
    }
    return 0;
  }

  MemoryReplica replica;
  std::unique_ptr<ReplicaStore> store = *replica.open();
  KnownReplica known;
  ProgressCheck check;
};

}  // namespace

TEST_CASE("progress that is as it is known is read as a whole once") {
  Known many;
  int reads = 0;
  many.replica.set_fault_hook([&](MemoryReplica::Call call) {
    reads += call == MemoryReplica::Call::kProgress ? 1 : 0;
    return MemoryReplica::Fault::kNone;
  });
  for (int i = 0; i < 100; ++i) REQUIRE(many.look());
  CHECK(reads == 0);
}

TEST_CASE("what is dropped of the progress is noticed at the next look") {
  Known many;
  many.replica.meddle([](ReplicaProgress& progress) { progress.watermark.erase(ActorId{2345}); });
  CHECK(many.looks_until_noticed() == 1);
  Known others;
  others.replica.meddle([](ReplicaProgress& progress) { progress.actors.erase(ActorId{2345}); });
  CHECK(others.looks_until_noticed() == 1);
}

TEST_CASE("what is changed of it is noticed, soon or in turn") {
  Known many;
  many.replica.meddle(
      [](ReplicaProgress& progress) { progress.watermark.raise(ActorId{2345}, Seq{kActors + 1}); });
  const int looks = many.looks_until_noticed();
  CHECK(looks > 0);
  CHECK(looks <= 16);
  Known others;
  others.replica.meddle(
      [](ReplicaProgress& progress) { progress.actors[ActorId{3000}].final_seq.reset(); });
  CHECK(others.looks_until_noticed() > 0);
}

TEST_CASE("what is known of an origin's own actor is looked at every time") {
  RegionUnderTest region;
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 1));
  region.publish(counter_batch(kShop, kShopActor, 2, "stock:1", 2));
  region.run(Millis{6000});
  region.replica.meddle([](ReplicaProgress& progress) {
    progress.watermark.erase(kShopActor);
    progress.watermark.raise(kShopActor, Seq{1});
  });
  region.run(Millis{6000});
  region.publish(heartbeat(kShop, kShopActor, 2));
  region.run(Millis{10'000});
  CHECK(region.watermark(kShopActor) == 2);
}

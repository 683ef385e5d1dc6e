/// Keys whose type is not beyond doubt: keyspaces that get another type, or that the file lacks.
#include <utility>

#include "consumer/parking.h"
#include "tests/unit/consumer/region_under_test.h"

namespace tributary {
namespace {

const Schema kCounters{{{"k*", "counter"}}, {}};
const Schema kSets{{{"k*", "set"}}, {}};
const Schema kNothing{{{"other:*", "set"}}, {}};

Batch counted(std::uint64_t seq) { return counter_batch(kShop, kShopActor, seq, "k", 10 * seq); }
Batch added(std::uint64_t seq, const std::string& element) {
  return set_batch(kTill, kTillActor, seq, "k", "add", element);
}

/// With another file: as a daemon does, in a new session.
void start_anew(RegionUnderTest& region, const Schema& schema) {
  bool lost = false;
  region.replica.set_fault_hook([&](MemoryReplica::Call) {
    return std::exchange(lost, true) ? MemoryReplica::Fault::kNone : MemoryReplica::Fault::kBefore;
  });
  region.settings.schema = schema;
  region.run(Millis{1000});
  region.replica.set_fault_hook({});
  REQUIRE(lost);
  region.run(Millis{3000});
}

/// Long enough for the rebuilder to look again at what it could not make.
void settle(RegionUnderTest& region) {
  region.run(Millis{3000});
  region.rebuild();
  region.run(Millis{3000});
}

std::string reason(RegionUnderTest& region) {
  const auto blocked = *region.store()->blocked({}, 10);
  return blocked.empty() ? "" : blocked.front().second.reason;
}

bool retry(RegionUnderTest& region) {
  return retry_all(*region.store(), region.settings.schema)->blocked == 0;
}

}  // namespace

TEST_CASE("after a change of type a key holds the changes of the new one, whenever a file came") {
  const std::vector<Batch> changes{counted(1), added(1, "a"), counted(2), added(2, "b"),
                                   counted(3)};
  for (std::size_t at = 0; at <= changes.size(); ++at) {
    CAPTURE(at);
    RegionUnderTest region({.schema = kCounters});
    for (std::size_t i = 0; i <= changes.size(); ++i) {
      if (i == at) start_anew(region, kSets);
      if (i == changes.size()) break;
      region.publish(changes[i]);
      region.run(Millis{500});
    }
    settle(region);
    CHECK(region.view("k") == "{a,b}");
    CHECK(region.store()->read("k")->type == "set");
    CHECK(region.store()->blocked({}, 10)->empty());
    region.publish(added(3, "c"));
    region.run(Millis{500});
    CHECK(region.view("k") == "{a,b,c}");
  }
}

TEST_CASE("a change of type that is taken back brings everything back") {
  RegionUnderTest region({.schema = kCounters});
  region.publish(counted(1));
  region.run(Millis{500});
  start_anew(region, kSets);
  region.publish(added(1, "a"));
  region.publish(counted(2));
  settle(region);
  REQUIRE(region.view("k") == "{a}");
  start_anew(region, kCounters);
  retry(region);
  settle(region);
  CHECK(region.view("k") == "20");
  region.publish(counted(3));
  region.publish(added(2, "b"));
  region.run(Millis{500});
  CHECK(region.view("k") == "30");
  start_anew(region, kSets);
  settle(region);
  CHECK(region.view("k") == "{a,b}");
}

TEST_CASE("a key that nobody writes keeps its value until a person says that it may go") {
  RegionUnderTest region({.schema = kCounters});
  region.publish(counted(1));
  region.run(Millis{500});
  start_anew(region, kSets);
  settle(region);
  CHECK(region.view("k") == "10");
  CHECK(reason(region) ==
        "the key is not of its keyspace's type: it is a counter here, and the keyspace says set; "
        "give the keyspace its type back, or see \"Changing a keyspace's type\" in "
        "docs/topology.md");
  SUBCASE("it may") {
    CHECK_FALSE(retry(region));
    settle(region);
    CHECK(region.view("k") == "(none)");
    CHECK(reason(region).empty());
    CHECK(region.store()->read("k")->type == "set");
  }
  SUBCASE("the keyspace gets its type back") {
    start_anew(region, kCounters);
    CHECK(reason(region).empty());
    region.publish(counted(2));
    region.run(Millis{500});
    CHECK(region.view("k") == "20");
  }
}

TEST_CASE("what a key was to become waits for the file of this region") {
  RegionUnderTest region({.schema = kCounters});
  region.publish(counted(1));
  region.run(Millis{500});
  CHECK_FALSE(retry_key(*region.store(), kSets, "k")->reason.empty());
  region.publish(counted(2));
  region.publish(added(1, "a"));
  settle(region);
  start_anew(region, kCounters);
  settle(region);
  CHECK(region.view("k") == "10");
  start_anew(region, kSets);
  settle(region);
  CHECK(region.view("k") == "{a}");
  CHECK(reason(region).empty());
}

TEST_CASE("a change of type taken back at once needs no changelog") {
  RegionUnderTest region({.schema = kCounters});
  region.publish(counted(1));
  region.run(Millis{500});
  start_anew(region, kSets);
  region.publish(added(1, "a"));
  region.run(Millis{500});
  CHECK(reason(region).starts_with(kRetyped));
  region.broker.truncate(kShop, 0);
  start_anew(region, kCounters);
  CHECK(reason(region).empty());
  CHECK(region.view("k") == "10");
  REQUIRE(region.parked().size() == 1);
  CHECK(region.parked().front().reason.starts_with(kWrongType));
}

TEST_CASE("a key that its changelogs cannot make anew keeps its value, and says so") {
  RegionUnderTest region({.schema = kCounters});
  region.publish(counted(1));
  region.publish(counted(2));
  region.run(Millis{500});
  start_anew(region, kSets);
  region.broker.truncate(kShop, 1);
  CHECK_FALSE(retry(region));
  region.publish(added(1, "a"));
  settle(region);
  CHECK(region.view("k") == "20");
  CHECK(reason(region).starts_with(std::string(kRetyped) + "it cannot be rebuilt"));
  start_anew(region, kCounters);
  CHECK(retry(region));
  CHECK(region.view("k") == "20");
}

TEST_CASE("two origins that disagree on a key that no keyspace decides end alike in any order") {
  for (const bool shop_first : {true, false}) {
    for (const bool together : {true, false}) {
      CAPTURE(shop_first);
      CAPTURE(together);
      RegionUnderTest region({.schema = kNothing});
      for (int turn = 0; turn < 2; ++turn) {
        for (std::uint64_t seq = 1; seq <= 2; ++seq) {
          if (shop_first == (turn == 0)) region.publish(counted(seq));
          else region.publish(added(seq, seq == 1 ? "x" : "y"));
        }
        if (!together) region.run(Millis{500});
      }
      settle(region);
      CHECK(region.view("k") == "20");
      CHECK(region.store()->blocked({}, 10)->empty());
      for (const ParkedEntry& parked : region.parked()) CHECK(stands_beside(parked));
      start_anew(region, kSets);
      retry(region);
      settle(region);
      CHECK(region.view("k") == "{x,y}");
      CHECK(region.store()->blocked({}, 10)->empty());
    }
  }
}

TEST_CASE("so do parked changes of a key that no keyspace decides") {
  for (const bool shop_first : {true, false}) {
    RegionUnderTest region({.schema = kNothing});
    region.replica.tamper("k", crdt::ViewKind::kHash, "foreign");
    region.publish(shop_first ? counted(1) : added(1, "x"));
    region.run(Millis{500});
    region.publish(shop_first ? added(1, "x") : counted(1));
    region.run(Millis{500});
    region.replica.drop_view("k");
    CHECK(retry(region));
    CHECK(region.view("k") == "10");
    REQUIRE(region.parked().size() == 1);
    CHECK(parked_type(region.parked().front()) == "set");
  }
}

TEST_CASE("a key that loses its keyspace ends as one that never had one") {
  RegionUnderTest region({.schema = kSets});
  region.publish(added(1, "x"));
  region.publish(counted(1));
  region.run(Millis{500});
  REQUIRE(region.view("k") == "{x}");
  start_anew(region, kNothing);
  settle(region);
  CHECK(region.view("k") == "10");
}

}  // namespace tributary

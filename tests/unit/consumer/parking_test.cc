#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;
using crdt::ViewKind;

namespace {

RetryReport retry(RegionUnderTest& region) {
  const auto store = region.store();
  const auto retried = retry_all(*store, region.settings.schema);
  REQUIRE(retried);
  return *retried;
}

Batch counted(std::uint64_t seq) {
  return counter_batch(kShop, kShopActor, seq, "stock:1", static_cast<std::int64_t>(seq));
}

}  // namespace

TEST_CASE("a message that is no batch is parked, and what follows is applied") {
  RegionUnderTest region;
  region.publish(counted(1));
  region.publish(kShop, "no batch");
  region.publish(counted(2));
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "2");
  REQUIRE(region.parked().size() == 1);
  CHECK(region.parked().front().bytes == "no batch");
  CHECK(region.parked().front().origin == kShop);
}

TEST_CASE("an origin with too many parked messages stops, and goes on when they are discarded") {
  RegionUnderTest region;
  for (int i = 0; i < 1005; ++i) region.publish(kShop, "no batch");
  region.publish(counted(1));
  region.publish(counter_batch(kTill, kTillActor, 1, "stock:2", 1));
  region.run(Millis{20'000});
  CHECK(region.parked().size() == 1000);
  CHECK(region.view("stock:1") == "(none)");
  CHECK(region.view("stock:2") == "1");
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 1);
  std::vector<std::string> ids;
  for (const ParkedEntry& each : region.parked()) ids.push_back(each.id);
  CHECK(*discard_parked(*region.store(), ids) == 1000);
  region.run(Millis{60'000});
  CHECK(region.view("stock:1") == "1");
  CHECK(region.parked().size() == 5);
}

TEST_CASE("a foreign view parks its key's changes and no others, and is not overwritten") {
  RegionUnderTest region;
  region.replica.tamper("stock:1", ViewKind::kSet, "mine");
  region.publish(counted(1));
  region.publish(counter_batch(kTill, kTillActor, 1, "stock:2", 1));
  region.run(Millis{1000});
  region.publish(counted(2));
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "{mine}");
  CHECK(region.view("stock:2") == "1");
  CHECK(region.parked().size() == 2);
  CHECK(retry(region).blocked == 1);
  region.replica.drop_view("stock:1");
  CHECK(retry(region).unblocked == 1);
  region.publish(counted(3));
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "3");
}

TEST_CASE("a key whose parked changes or block another program dropped is rebuilt, not freed") {
  for (const bool block : {false, true}) {
    CAPTURE(block);
    RegionUnderTest region;
    region.replica.tamper("stock:1", ViewKind::kSet, "mine");
    region.publish(counted(1));
    region.publish(counted(2));
    region.run(Millis{1000});
    REQUIRE(region.parked().size() == 2);
    if (block) region.replica.drop_block("stock:1");
    else region.replica.drop_parked("stock:1");
    region.replica.drop_view("stock:1");
    region.publish(counter_batch(kTill, kTillActor, 1, "stock:1", 10));
    region.run(Millis{2000});
    if (!block) CHECK(retry(region).unblocked == 0);
    CHECK(*region.store()->parked_count() > 0);
    region.rebuild();
    CHECK(region.view("stock:1") == "12");
    CHECK(*region.store()->parked_count() == 0);
  }
}

TEST_CASE("a deferred remove waits for a change that is parked") {
  for (const bool park : {false, true}) {
    RegionUnderTest region;
    region.publish(set_batch(kTill, kTillActor, 1, "cart:1", "remove", "e", seen({{1, 1}})));
    region.run(Millis{500});
    if (park) region.replica.tamper("cart:1", ViewKind::kString, "foreign");
    region.publish(set_batch(kShop, kShopActor, 1, "cart:1", "add", "e"));
    region.publish(set_batch(kShop, kShopActor, 2, "cart:1", "add", "g"));
    region.run(Millis{3000});
    if (park) {
      region.replica.drop_view("cart:1");
      CHECK(retry(region).applied == 2);
    }
    region.run(Millis{3000});
    CHECK(region.view("cart:1") == "{g}");
    CHECK(region.store()->deferring_keys(10)->empty());
  }
}

TEST_CASE("parked changes are joined in the order of their seqs, whatever the clock said") {
  RegionUnderTest region;
  region.run(Millis{100});
  region.replica.tamper("cart:1", ViewKind::kString, "foreign");
  region.publish(set_batch(kShop, kShopActor, 1, "cart:1", "add", "x"));
  region.run(Millis{1000});
  region.clock.skew = Micros{-10'000'000};
  region.publish(set_batch(kShop, kShopActor, 2, "cart:1", "add", "y"));
  region.run(Millis{1000});
  region.replica.drop_view("cart:1");
  CHECK(retry(region).applied == 2);
  CHECK(region.view("cart:1") == "{x,y}");
}

TEST_CASE("a retry of a key that is written all the time sticks") {
  RegionUnderTest region;
  region.run(Millis{100});
  region.replica.tamper("stock:1", ViewKind::kSet, "foreign");
  std::uint64_t seq = 0;
  const auto tick = [&] {
    region.publish(counted(++seq));
    region.run(Millis{100});
  };
  for (int i = 0; i < 20; ++i) tick();
  CHECK(region.parked().size() > 10);
  region.replica.drop_view("stock:1");
  CHECK(retry(region).unblocked == 1);
  for (int i = 0; i < 20; ++i) tick();
  region.run(Millis{500});
  CHECK(region.parked().empty());
  CHECK(region.view("stock:1") == std::to_string(seq));
}

TEST_CASE("a retry that unblocks a key between load and commit loses nothing") {
  RegionUnderTest region;
  region.replica.tamper("stock:1", ViewKind::kSet, "foreign");
  region.publish(counted(1));
  region.run(Millis{1000});
  region.replica.drop_view("stock:1");
  const auto other = region.store();
  bool once = false;
  int loads = 0;
  // The hook must not call the replica; so the retry happens when the applier has loaded.
  region.replica.set_fault_hook([&](MemoryReplica::Call call) {
    loads += call == MemoryReplica::Call::kLoad ? 1 : 0;
    return MemoryReplica::Fault::kNone;
  });
  region.publish(counted(2));
  for (int i = 0; i < 20 && !once; ++i) {
    region.run(Millis{100});
    if (loads > 0 && !once) once = retry_all(*other, region.settings.schema).has_value();
  }
  region.publish(counted(3));
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "3");
  CHECK(region.parked().empty());
}

TEST_CASE("a key with too many changes to set aside is only marked, and rebuilt when it can be") {
  RegionUnderTest region;
  region.replica.tamper("stock:1", ViewKind::kSet, "foreign");
  for (std::uint64_t seq = 1; seq <= 1200; ++seq) region.publish(counted(seq));
  region.run(Millis{30'000});
  const auto blocked = *region.store()->blocked({}, 10);
  REQUIRE(blocked.size() == 1);
  CHECK(blocked.front().second.incomplete);
  CHECK(blocked.front().second.bodies == 1000);
  CHECK(region.parked().size() == 1000);
  region.rebuild();
  CHECK(region.view("stock:1") == "{foreign}");
  region.replica.drop_view("stock:1");
  region.rebuild();
  CHECK(region.view("stock:1") == "1200");
  CHECK(region.parked().empty());
  CHECK(region.store()->blocked({}, 10)->empty());
}

TEST_CASE("the body of a large change counts for more") {
  RegionUnderTest region;
  region.replica.tamper("cart:1", ViewKind::kString, "foreign");
  for (std::uint64_t seq = 1; seq <= 12; ++seq) {
    region.publish(set_batch(kShop, kShopActor, seq, "cart:1", "add", std::string(1 << 20, 'x')));
  }
  region.run(Millis{3000});
  CHECK(region.parked().size() == 3);
  CHECK(region.store()->blocked({}, 1)->front().second.incomplete);
}

TEST_CASE("two origins that disagree on a key's type end alike in any order") {
  for (const bool shop_first : {true, false}) {
    RegionUnderTest region({.schema = {{{"stock:*", "counter"}}, {}}});
    for (int turn = 0; turn < 2; ++turn) {
      if (shop_first == (turn == 0)) {
        region.publish(counted(1));
        region.publish(counted(2));
      } else {
        region.publish(set_batch(kTill, kTillActor, 1, "stock:1", "add", "x"));
        region.publish(set_batch(kTill, kTillActor, 2, "stock:1", "add", "y"));
      }
      region.run(Millis{500});
    }
    CHECK(region.view("stock:1") == "2");
    CHECK(region.parked().size() == 1);
    CHECK(region.store()->blocked({}, 10)->empty());
  }
}

TEST_CASE("a type that an older version did not know is applied after an upgrade, by itself") {
  RegionUnderTest region;
  const auto store = region.store();
  // As an older version would have left it.
  Batch batch = counted(1);
  const ParkedEntry parked{.id = parked_id(kShop, kShopActor, Seq{1}, "stock:1"),
                           .origin = kShop,
                           .actor = kShopActor,
                           .first_seq = Seq{1},
                           .last_seq = Seq{1},
                           .key = "stock:1",
                           .reason = {},
                           .bytes = encode(batch)};
  KeyBlock next;
  next.before[kShopActor] = Seq{0};
  next.bodies = 1;
  next.reason = std::string(kUnknownType) + "counter; upgrade this consumer";
  const BlockCommit block{"stock:1", "", next};
  REQUIRE(store->commit({.advances = {},
                         .keys = {},
                         .blocks = {&block, 1},
                         .progress = {},
                         .parked = {&parked, 1},
                         .unparked = {},
                         .hlc = {}}));
  region.run(Millis{1000});
  CHECK(region.view("stock:1") == "1");
  CHECK(region.parked().empty());
}

TEST_CASE("changes that came before the file knew their keys' type are applied by themselves") {
  RegionUnderTest region({.schema = {{{"stock:*", "counter"}}, {}}});
  region.publish(set_batch(kShop, kShopActor, 1, "stock:late", "add", "x"));
  region.publish(set_batch(kShop, kShopActor, 2, "stock:late", "add", "y"));
  region.publish(set_batch(kTill, kTillActor, 1, "stock:1", "add", "wrong"));
  region.run(Millis{3000});
  CHECK(region.view("stock:late") == "(none)");
  region.settings.schema = {{{"stock:late", "set"}, {"stock:*", "counter"}}, {}};
  region.replica.meddle([](ReplicaProgress& progress) { progress.token += "x"; });  // a new session
  region.run(Millis{3000});
  region.rebuild();
  CHECK(region.view("stock:late") == "{x,y}");
  REQUIRE(region.parked().size() == 1);
  CHECK(region.parked().front().key == "stock:1");
}

TEST_CASE("discarding a key's changes unblocks it") {
  RegionUnderTest region;
  region.replica.tamper("stock:1", ViewKind::kSet, "foreign");
  region.publish(counted(1));
  region.publish(counted(2));
  region.run(Millis{1000});
  CHECK(*discard_parked(*region.store(), {region.parked().front().id}) == 1);
  CHECK(region.store()->blocked({}, 10)->front().second.bodies == 1);
  CHECK(*discard_key(*region.store(), "stock:1") == 1);
  CHECK(region.store()->blocked({}, 10)->empty());
  CHECK(region.store()->discarded()->size() == 2);
}

TEST_CASE("what was discarded is told until its key is made anew, with it") {
  RegionUnderTest region;
  region.publish(counted(1));
  region.run(Millis{1000});
  region.replica.tamper("stock:1", ViewKind::kSet, "foreign");
  region.publish(counted(2));
  region.run(Millis{1000});
  const std::string id = region.parked().front().id;
  CHECK(*discard_key(*region.store(), "stock:1") == 1);
  CHECK(*region.store()->discarded() == std::vector<std::string>{id});
  region.replica.drop_view("stock:1");
  region.replica.damage("stock:1", MemoryReplica::Damage::kStray);
  region.publish(counted(3));
  region.run(Millis{1000});
  region.rebuild();
  CHECK(region.store()->blocked({}, 10)->empty());
  CHECK(region.store()->discarded()->empty());
}

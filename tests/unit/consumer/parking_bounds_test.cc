/// That what is set aside is bounded, and so is what looking at it costs.
#include <algorithm>

#include "consumer/parking.h"
#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;
using crdt::ViewKind;
using Call = MemoryReplica::Call;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::string cart(std::uint64_t number) { return "cart:" + std::to_string(number); }

std::uint64_t parked_bytes(RegionUnderTest& region) {
  std::uint64_t bytes = 0;
  for (const ParkedEntry& each : region.parked()) bytes += each.bytes.size();
  return bytes;
}

}  // namespace

TEST_CASE("what is parked in all has a bound in bytes; beyond it keys are only marked") {
  constexpr std::uint64_t kKeys = 40;
  constexpr std::uint64_t kValue = kMiB / 16;
  constexpr std::uint64_t kMost = 4 * kMiB;
  RegionUnderTest region({.parked_bytes = kMost});
  for (std::uint64_t key = 0; key < kKeys; ++key) {
    region.replica.tamper(cart(key), ViewKind::kString, "foreign");
  }
  std::uint64_t seq = 0;
  const auto round = [&] {
    for (std::uint64_t key = 0; key < kKeys; ++key) {
      region.publish(
          set_batch(kShop, kShopActor, ++seq, cart(key), "add", std::string(kValue, 'x')));
    }
    region.run(Millis{3000});
  };
  round();
  CHECK(region.parked().size() == kKeys);
  SUBCASE("in one session") {}
  SUBCASE("in another session") {
    region.replica.meddle([](ReplicaProgress& progress) { progress.token += "x"; });
  }
  round();
  CHECK(parked_bytes(region) <= kMost);
  CHECK(parked_bytes(region) > kMost - 2 * kValue);
  std::size_t incomplete = 0;
  const auto blocked = *region.store()->blocked({}, 1000);
  for (const auto& [key, block] : blocked) {
    incomplete += block.incomplete ? 1 : 0;
  }
  CHECK(incomplete >= 15);
  for (std::uint64_t key = 0; key < kKeys; ++key) region.replica.drop_view(cart(key));
  REQUIRE(retry_all(*region.store(), {}));
  region.rebuild();
  CHECK(region.parked().empty());
  CHECK(region.store()->blocked({}, 1000)->empty());
}

TEST_CASE("of what stands beside a key the content is not kept when it is large") {
  RegionUnderTest region({.schema = {{{"stock:*", "counter"}}, {}}});
  region.publish(
      set_batch(kTill, kTillActor, 1, "stock:1", "add", std::string(kMiB, 'x'), seen({{1, 5}})));
  region.publish(set_batch(kTill, kTillActor, 2, "stock:2", "add", "small"));
  region.run(Millis{3000});
  REQUIRE(region.parked().size() == 2);
  CHECK(parked_bytes(region) < 1000);
  for (const ParkedEntry& each : region.parked()) {
    CHECK(stands_beside(each));
    CHECK(stands_beside(each.id));
    CHECK(parked_type(each) == "set");
  }
  region.settings.schema = {{{"stock:*", "set"}}, {}};
  region.replica.meddle([](ReplicaProgress& progress) { progress.token += "x"; });
  region.run(Millis{6000});
  region.rebuild();
  CHECK(region.view("stock:2") == "{small}");
  CHECK(region.view("stock:1") == "{" + std::string(kMiB, 'x') + "}");
  CHECK(region.parked().empty());
}

TEST_CASE("what is parked and stays so is not read again and again") {
  RegionUnderTest region({.schema = {{{"stock:*", "counter"}}, {}}});
  region.replica.tamper("cart:1", ViewKind::kString, "foreign");
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    region.publish(set_batch(kTill, kTillActor, seq, "stock:" + std::to_string(seq), "add", "x"));
    region.publish(set_batch(kShop, kShopActor, seq, "cart:1", "add", std::to_string(seq)));
  }
  region.run(Millis{5000});
  REQUIRE(region.parked().size() == 40);
  std::size_t reads = 0;
  region.replica.set_fault_hook([&](Call call) {
    reads += call == Call::kParked ? 1 : 0;
    return MemoryReplica::Fault::kNone;
  });
  region.run(Millis{600'000});
  CHECK(reads < 20 * 30);
}

TEST_CASE(
    "what blocked keys have parked is not read by a session that begins, nor while it lasts") {
  RegionUnderTest region;
  for (std::uint64_t key = 1; key <= 100; ++key) {
    region.replica.tamper(cart(key), ViewKind::kString, "foreign");
    region.publish(set_batch(kShop, kShopActor, key, cart(key), "add", "x"));
  }
  region.run(Millis{3000});
  REQUIRE(region.parked().size() == 100);
  for (int session = 0; session < 3; ++session) {
    static_cast<void>(region.replica.take_bodies_read());
    region.replica.meddle([](ReplicaProgress& progress) { progress.token += "x"; });
    region.publish(counter_batch(kTill, kTillActor, session + 1U, "stock:1", session + 1));
    region.run(Millis{60'000});
    REQUIRE(region.view("stock:1") == std::to_string(session + 1));
    std::size_t read = 0;
    for (const std::size_t each : region.replica.take_bodies_read()) read += each;
    CHECK(read == 0);
  }
}

TEST_CASE("what is parked is read a few at a time, whatever it is looked at for") {
  RegionUnderTest region({.schema = {{{"stock:*", "counter"}}, {}}});
  std::uint64_t seq = 0;
  for (std::uint64_t key = 1; key <= 100; ++key) {
    region.publish(set_batch(kTill, kTillActor, ++seq, "stock:" + std::to_string(key), "add", "x"));
    region.publish(kShop, "no batch");
  }
  region.run(Millis{5000});
  REQUIRE(region.parked().size() == 200);
  region.replica.meddle([](ReplicaProgress& progress) { progress.token += "x"; });
  static_cast<void>(region.replica.take_bodies_read());
  region.publish(kShop, "no batch either");  // are there too many by now?
  region.run(Millis{60'000});
  const auto read = region.replica.take_bodies_read();
  REQUIRE_FALSE(read.empty());
  CHECK(std::ranges::max(read) <= 8);
  CHECK(region.parked().size() == 201);
}

TEST_CASE("what is parked in all has a bound in number, too") {
  RegionUnderTest region({.parked_bodies = 50});
  for (std::uint64_t seq = 1; seq <= 120; ++seq) {
    const std::string key = cart(seq % 6);
    if (seq <= 6) region.replica.tamper(key, ViewKind::kString, "foreign");
    region.publish(set_batch(kShop, kShopActor, seq, key, "add", std::to_string(seq)));
    region.run(Millis{100});
  }
  CHECK(region.parked().size() == 50);
  const auto blocked = *region.store()->blocked({}, 10);
  for (const auto& [key, block] : blocked) CHECK(block.incomplete);
  for (std::uint64_t key = 0; key < 6; ++key) region.replica.drop_view(cart(key));
  region.rebuild();
  CHECK(region.parked().empty());
  CHECK(std::ranges::count(region.view(cart(1)), ',') == 19);
}

TEST_CASE("the bytes of an origin's parked messages have a bound: it stops, the others go on") {
  RegionUnderTest region;
  for (int i = 0; i < 70; ++i) region.publish(kShop, std::string(kMiB, 'x'));
  region.publish(counter_batch(kShop, kShopActor, 1, "stock:1", 1));
  region.publish(counter_batch(kTill, kTillActor, 1, "stock:2", 1));
  region.run(Millis{20'000});
  CHECK(region.parked().size() == 64);
  CHECK(region.view("stock:1") == "(none)");
  CHECK(region.view("stock:2") == "1");
  CHECK(region.gauge("tributary_consumer_stopped", "shop") == 1);
}

TEST_CASE("the key in an id, and whether it stands beside it") {
  const OriginName origin{"shop"};
  const std::string id = parked_id(origin, ActorId{7}, Seq{0}, "a/b/c");
  CHECK(parked_key(id) == "a/b/c");
  CHECK(stands_beside(id));
  CHECK(parked_key(parked_id(origin, ActorId{7}, Seq{10}, "k")) == "k");
  CHECK(!stands_beside(parked_id(origin, ActorId{7}, Seq{10}, "k")));
  CHECK(parked_key("shop/message/00000000000000000007").empty());
  CHECK(!stands_beside("shop/message/00000000000000000000"));
}

TEST_CASE("after an upgrade keys with many parked changes are tried in steps") {
  constexpr std::size_t kKeys = 20;
  constexpr std::uint64_t kOfEach = 400;
  RegionUnderTest region;
  const auto store = region.store();
  for (std::size_t key = 0; key < kKeys; ++key) {
    const std::string name = "stock:" + std::to_string(key);
    std::vector<ParkedEntry> parked;
    for (std::uint64_t i = 1; i <= kOfEach; ++i) {
      const std::uint64_t seq = key * kOfEach + i;
      parked.push_back({.id = parked_id(kShop, kShopActor, Seq{seq}, name),
                        .origin = kShop,
                        .actor = kShopActor,
                        .first_seq = Seq{seq},
                        .last_seq = Seq{seq},
                        .key = name,
                        .reason = {},
                        .bytes = encode(counter_batch(kShop, kShopActor, seq, name,
                                                      static_cast<std::int64_t>(i)))});
    }
    KeyBlock next;
    next.before[kShopActor] = Seq{0};
    next.bodies = kOfEach;
    next.reason = std::string(kUnknownType) + "counter; upgrade this consumer";
    const BlockCommit block{name, "", next};
    REQUIRE(store->commit({.advances = {},
                           .keys = {},
                           .blocks = {&block, 1},
                           .progress = {},
                           .parked = parked,
                           .unparked = {},
                           .hlc = {}}));
  }
  std::string after;
  std::size_t steps = 0;
  std::size_t before = region.parked().size();
  do {
    after = *retry_known_types(*store, {}, after);
    const std::size_t left = region.parked().size();
    CHECK(before - left <= 1000);
    before = left;
    ++steps;
  } while (!after.empty());
  CHECK(before == 0);
  CHECK(steps >= kKeys * kOfEach / 1000);
  CHECK(region.view("stock:19") == "400");
}

/// What a relay does beside sealing: confirms, totals, retention, heartbeats, timestamps.
#include <doctest/doctest.h>

#include "base/log.h"
#include "tests/unit/gauge_value.h"
#include "tests/unit/relay/shop.h"
#include "tests/unit/stderr_of.h"

using namespace tributary;

TEST_CASE("batches past their retention are forgotten under default settings") {
  Shop shop;
  shop.settings.retention = std::chrono::seconds(1);
  shop.start();
  for (int i = 0; i < 300; ++i) {
    if (i % 2 == 0) shop.sell(1);
    else shop.write(set::add("cart:1", std::to_string(i)));
    shop.steps(2, Millis{500});
  }
  CHECK(shop.status().head_seq == Seq{300});
  CHECK(shop.outbox.batches() < 40);
  shop.steps(200, Millis{500});  // nothing is written any more
  CHECK(shop.outbox.batches() == 0);
  shop.stop();
  shop.sell(1);
  shop.relay_everything();
  CHECK(shop.region.total() == 151);
}

TEST_CASE("confirms of two actors in one interval are both written down") {
  Shop shop;
  shop.start();
  shop.steps(3);
  shop.broker.hold_confirms("relay", true);
  for (int i = 0; i < 3; ++i) {
    shop.sell(1);
    shop.steps(1);
  }
  shop.stop();
  shop.broker.hold_confirms("relay", false);
  shop.outbox.restore(shop.outbox.backup(), true);  // a promoted standby
  shop.sell(1);
  shop.start();
  shop.steps(50);
  CHECK(shop.status().unconfirmed == 0);
  CHECK(shop.region.total() == 4);
  CHECK(shop.region.lost == 0);
}

TEST_CASE("a context that the outbox had no room for is told again") {
  Shop shop;
  int told = 0;
  shop.outbox.set_fault([&](std::string_view operation, bool late) -> std::optional<Error> {
    told += operation == "set_context" && late ? 1 : 0;
    return std::nullopt;
  });
  shop.context = ReplicaContext{};
  shop.start();
  shop.steps(600, Millis{100});
  CHECK(told == 1);
  shop.steps(600, Millis{100});
  CHECK(told == 2);
}

TEST_CASE("an idle relay says so less and less often") {
  Shop shop;
  SUBCASE("the broker confirms at once") {}
  SUBCASE("confirms take their time") { shop.broker.confirm_late(true); }
  shop.start();
  shop.steps(10);
  shop.region_reads = false;
  const auto before = shop.broker.messages(Shop::kName).size();
  shop.steps(36'000, Millis{100});  // an hour
  CHECK(shop.broker.messages(Shop::kName).size() - before < 200);
  CHECK(shop.broker.messages(Shop::kName).size() - before > 100);
}

TEST_CASE("after a change silence is told soon again") {
  Shop shop;
  shop.broker.confirm_late(true);
  shop.start();
  shop.steps(3'000, Millis{100});
  const auto before = shop.broker.messages(Shop::kName).size();
  shop.sell(1);
  shop.steps(25, Millis{100});
  CHECK(shop.broker.messages(Shop::kName).size() - before == 2);  // the change and a heartbeat
}

TEST_CASE("a lost changelog is filled with all retained batches, some at a time") {
  Shop shop;
  shop.settings.unconfirmed_batches = 4;
  shop.start();
  shop.steps(10);
  for (int i = 0; i < 200; ++i) {
    shop.sell(1);
    shop.steps(2, Millis{50});
  }
  REQUIRE(shop.outbox.batches() == 200);
  shop.stop();
  shop.broker.delete_log(Shop::kName);
  shop.outbox.publish_again();
  shop.broker.hold_confirms("relay", true);
  shop.start();
  shop.steps(20);
  constexpr std::size_t kPage = 16;
  CHECK(shop.relay->unconfirmed() >= 4);
  CHECK(shop.relay->unconfirmed() < 4 + kPage);
  shop.broker.hold_confirms("relay", false);
  shop.steps(200);
  CHECK(shop.relay->drained());
  ShopReader emptied;
  emptied.read(shop.broker, Shop::kName);
  CHECK(emptied.total() == 200);
  CHECK(emptied.lost == 0);
}

TEST_CASE("an overwrite wins over what its writer had seen, whenever the relay starts") {
  const auto hour = std::chrono::hours(1);
  Shop shop;
  const Hlc seen = Hlc::from_micros(static_cast<std::uint64_t>((shop.clock.wall() + hour).count()));
  VersionVector other;
  other.raise(ActorId{7}, Seq{5});
  shop.start();
  shop.context = ReplicaContext{.watermark = other, .hlc = seen, .lowered = {}};
  shop.steps(5);
  bool restarted = false;
  SUBCASE("it goes on") {}
  SUBCASE("it was restarted, and the replica is away") {
    shop.stop();
    shop.context.reset();
    restarted = true;
  }
  SUBCASE("the replica was emptied") {
    shop.context = ReplicaContext{};
    shop.steps(5);
  }
  shop.write(register_::set("price:1", "written after having seen the other region's"));
  if (restarted) shop.start();
  shop.steps(10);
  Hlc sealed;
  for (const ChangelogMessage& message : shop.broker.messages(Shop::kName)) {
    const auto batch = decode_batch(message.bytes);
    if (!batch->heartbeat()) sealed = batch->hlc;
  }
  CHECK(sealed > seen);
}

namespace {

/// The time of the last change in the log.
Hlc last_sealed(const Shop& shop) {
  Hlc sealed;
  for (const ChangelogMessage& message : shop.broker.messages(Shop::kName)) {
    const auto batch = decode_batch(message.bytes);
    REQUIRE(batch);
    if (!batch->heartbeat()) sealed = batch->hlc;
  }
  return sealed;
}

constexpr std::uint64_t kYear2060 = 2'840'140'800'000'000;

}  // namespace

TEST_CASE("an overwrite wins over one whose clock was decades ahead") {
  Shop shop;
  shop.start();
  VersionVector other;
  other.raise(ActorId{7}, Seq{5});
  const Hlc seen = Hlc::from_micros(kYear2060);
  shop.context = ReplicaContext{.watermark = other, .hlc = seen, .lowered = {}};
  shop.steps(5);
  shop.write(register_::set("price:1", "written after having seen it"));
  shop.steps(5);
  CHECK(last_sealed(shop) > seen);
}

TEST_CASE("a clock beyond all times leaves room above what it wrote") {
  Shop shop;
  const Micros right = shop.clock.now;
  shop.clock.now = Micros{3'000'000'000'000'000};  // wall: the year 2118
  shop.start();
  shop.write(register_::set("price:1", "of nobody knows when"));
  shop.steps(10);
  CHECK(last_sealed(shop).value == kMaxClock.value);
  shop.context = ReplicaContext{.watermark = {}, .hlc = kMaxClock, .lowered = {}};
  shop.clock.now = right;
  shop.stop();
  shop.start();
  shop.steps(5);
  shop.write(register_::set("price:1", "after it"));
  shop.steps(5);
  CHECK(last_sealed(shop) > kMaxClock);
  CHECK(last_sealed(shop) < kMaxHlc);
}

TEST_CASE("the time of a heartbeat does not move the time of changes") {
  Shop shop;
  shop.start();
  shop.sell(1);
  shop.steps(5);
  const Micros right = shop.clock.now;
  shop.clock.now = Micros{kYear2060 - 1'700'000'000'000'000};
  shop.steps(5);
  const auto told = decode_batch(shop.broker.messages(Shop::kName).back().bytes);
  REQUIRE(told->heartbeat());
  REQUIRE(told->hlc.micros() >= kYear2060);
  shop.stop();
  shop.clock.now = right;
  SUBCASE("it goes on") {}
  SUBCASE("a new actor follows") { shop.outbox.restore(shop.outbox.backup(), true); }
  shop.start();
  shop.steps(5);
  shop.sell(1);
  shop.steps(5);
  CHECK(last_sealed(shop).micros() < kYear2060);
}

TEST_CASE("what only the database's tables know waits as a whole transaction, and is told once") {
  Shop shop;
  const auto gauge = [&](const std::string& name) {
    return gauge_value(shop.metrics, "tributary_relay_" + name, "shop").value_or(-1);
  };
  shop.outbox.know_operation("set", "shuffle");  // a newer version wrote it there
  const std::string log = stderr_of([&] {
    log::configure("unit", log::Level::kInfo, log::Format::kText);
    shop.start();
    shop.steps(5);
    const auto session = shop.outbox.open_session();
    REQUIRE(session->begin());
    const std::vector<Change> changes{counter::add("stock:2", 1),
                                      {.key = "cart:1", .type = "set", .operation = "shuffle"}};
    REQUIRE(session->outbox().insert(changes));
    REQUIRE(session->outbox().commit());
    for (int i = 0; i < 20; ++i) {
      shop.sell(1);
      shop.steps(10, Millis{500});
    }
    log::configure("unit", log::Level::kOff, log::Format::kText);
  });
  CAPTURE(log);
  CHECK(times(log, "transactions wait in the outbox") == 1);
  CHECK(times(log, "upgrade the relay") == 1);
  CHECK(shop.region.total() == 20);
  CHECK(shop.status().parked == 0);
  CHECK(shop.status().depth == 2);
  CHECK(gauge("waiting_changes") == 2);
  CHECK(gauge("outbox_depth") == 2);
  CHECK(gauge("outbox_oldest_seconds") > 90);
}

TEST_CASE("a keyspace applied under a running relay is known to it at once") {
  Shop shop;
  shop.start();
  shop.steps(5);
  shop.schema.keyspaces.push_back({"wish:*", "set"});
  shop.outbox.apply(shop.schema);
  const auto session = shop.outbox.open_session();
  REQUIRE(session->begin());
  Transaction transaction(session->outbox());
  REQUIRE(transaction.write(set::add("wish:1", "lamp")));
  REQUIRE(transaction.write(counter::add("stock:1", 3)));
  REQUIRE(transaction.commit());
  shop.steps(5);
  CHECK(shop.status().parked == 0);
  CHECK(shop.status().head_seq == Seq{2});
}

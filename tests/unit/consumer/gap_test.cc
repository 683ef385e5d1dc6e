#include <memory>
#include <string>

#include <doctest/doctest.h>

#include <tributary/connectors/memory/changelog.h>
#include <tributary/connectors/memory/replica_store.h>
#include <tributary/consumer/applier.h>
#include <tributary/consumer/origin_reader.h>
#include <tributary/crdt/type.h>
#include <tributary/outbox/batch.h>
#include <tributary/tests/unit/standing_clock.h>

using namespace tributary;

namespace {

const OriginName kShop{"shop"};
const OriginName kTill{"till"};

/// Batches of one change each: seq n adds n to counter "c:<origin>".
std::string batch(const OriginName& origin, std::uint64_t seq) {
  const crdt::Type& type = *crdt::find_type("counter");
  std::int64_t total = 0;
  for (std::uint64_t n = 1; n <= seq; ++n) total += static_cast<std::int64_t>(n);
  const crdt::SealedChange change{.seq = Seq{seq},
                                  .hlc = Hlc{seq},
                                  .operation = crdt::find_operation(type, "add"),
                                  .field = {},
                                  .value = {},
                                  .amount = 0,
                                  .totals = {total, 0}};
  crdt::ContextTable contexts;
  const ActorId actor{origin == kShop ? 1U : 2U};
  return encode(Batch{.actor = actor,
                      .origin = origin,
                      .first_seq = Seq{seq},
                      .last_seq = Seq{seq},
                      .hlc = Hlc{seq},
                      .deltas = {{"c:" + origin.value, "counter", Seq{seq},
                                  type.seal(actor, {&change, 1}, contexts)}}});
}

std::string heartbeat(const OriginName& origin, std::uint64_t head) {
  return encode(Batch{.actor = ActorId{origin == kShop ? 1U : 2U},
                      .origin = origin,
                      .first_seq = Seq{head + 1},
                      .last_seq = Seq{head},
                      .hlc = Hlc{head}});
}

/// A consumer of two origins, stepped by hand.
struct RegionUnderTest {
  StandingClock clock;
  Metrics metrics;
  ConsumerSettings settings;
  memory::MemoryBroker broker;
  MemoryReplica replica;
  Inbox inbox{{kShop, kTill}, settings};
  std::unique_ptr<Changelog> changelog = broker.session("consumer");
  OriginReader shop{*changelog, kShop, inbox, settings, clock, metrics};
  OriginReader till{*changelog, kTill, inbox, settings, clock, metrics};
  Applier applier{[this] { return replica.open(); }, inbox, settings, clock, metrics};

  RegionUnderTest() {
    REQUIRE(changelog->declare(kShop));
    REQUIRE(changelog->declare(kTill));
  }

  void publish(const OriginName& origin, const std::string& bytes) {
    const auto session = broker.session("relay");
    const auto writer = session->open_writer(origin);
    REQUIRE(writer);
    REQUIRE((*writer)->publish(1, bytes));
    REQUIRE((*writer)->confirmed(Millis{0}));
  }

  void run(Micros time) {
    for (const Micros end = clock.now + time; clock.now < end; clock.now += Millis{100}) {
      for (int i = 0; i < 10; ++i) {
        REQUIRE(shop.step(Millis{0}));
        REQUIRE(till.step(Millis{0}));
      }
      REQUIRE(applier.step());
    }
  }

  std::string value(const std::string& key) {
    const auto reading = (*replica.open())->read(key);
    return reading->exists ? reading->values.front().second : "(none)";
  }
};

}  // namespace

TEST_CASE("a gap stops its origin, the others go on, and a refilled log resumes it") {
  RegionUnderTest region;
  region.publish(kShop, batch(kShop, 1));
  region.publish(kShop, batch(kShop, 3));
  region.publish(kShop, heartbeat(kShop, 3));
  region.publish(kTill, batch(kTill, 1));
  region.run(Millis{3000});
  CHECK(region.value("c:shop") == "1");

  region.publish(kTill, batch(kTill, 2));
  region.run(Millis{3000});
  CHECK(region.value("c:shop") == "1");
  CHECK(region.value("c:till") == "3");

  region.publish(kShop, batch(kShop, 2));
  region.publish(kShop, batch(kShop, 3));
  region.run(region.settings.gap_retry * 2);
  CHECK(region.value("c:shop") == "6");
}

TEST_CASE("a message that is no batch is parked, and what follows is applied") {
  RegionUnderTest region;
  region.publish(kShop, batch(kShop, 1));
  region.publish(kShop, "no batch");
  region.publish(kShop, batch(kShop, 2));
  region.run(Millis{1000});
  CHECK(region.value("c:shop") == "3");
  const auto parked = (*region.replica.open())->parked();
  REQUIRE(parked->size() == 1);
  CHECK(parked->front().bytes == "no batch");
  CHECK(parked->front().origin == kShop);
}

TEST_CASE("a foreign view parks its key's changes and no others, and is not overwritten") {
  RegionUnderTest region;
  region.replica.tamper("c:shop", crdt::ViewKind::kSet, "mine");
  region.publish(kShop, batch(kShop, 1));
  region.publish(kTill, batch(kTill, 1));
  region.run(Millis{1000});
  region.publish(kShop, batch(kShop, 2));
  region.run(Millis{1000});
  CHECK((*region.replica.open())->read("c:shop")->view == crdt::ViewKind::kSet);
  CHECK(region.value("c:till") == "1");
  CHECK((*region.replica.open())->parked()->size() == 2);
}

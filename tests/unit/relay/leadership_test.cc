#include <map>
#include <set>

#include <doctest/doctest.h>

#include <tributary/connectors/memory/changelog.h>
#include <tributary/connectors/memory/outbox_store.h>
#include <tributary/crdt/types/counter.h>
#include <tributary/outbox/batch.h>
#include <tributary/relay/origin_relay.h>
#include <tributary/tests/unit/standing_clock.h>

using namespace tributary;

namespace {

/// One origin with its database and its broker.
struct Shop {
  StandingClock clock;
  Schema schema{{{"stock:*", "counter"}}, {}};
  RelaySettings settings;
  memory::MemoryBroker broker;
  memory::MemoryOutbox outbox{OriginName{"shop"}, schema, clock};
  std::uint64_t random = 0;

  void sell(std::int64_t amount) {
    const auto session = outbox.open_session();
    REQUIRE(session->begin());
    Transaction transaction(session->outbox());
    REQUIRE(transaction.write(counter::add("stock:1", amount)));
    REQUIRE(transaction.commit());
    clock.now += Millis{1};
  }

  /// A relay's whole life: lead, seal, publish, confirm, end.
  void relay_everything() {
    Metrics metrics;
    const auto changelog = broker.session("relay");
    OriginRelay relay(OriginName{"shop"}, schema, settings,
                      {.open_store = [this]() -> Result<std::unique_ptr<OutboxStore>> {
                         return outbox.open_store();
                       },
                       .changelog = changelog.get(),
                       .writer_context = [] { return std::nullopt; },
                       .random = [this] { return ++random; },
                       .clock = &clock,
                       .metrics = &metrics});
    for (int i = 0; i < 20; ++i) {
      REQUIRE(relay.step());
      clock.now += Millis{200};
    }
    relay.release();
  }

  std::size_t actors() {
    std::set<std::uint64_t> actors;
    for (const ChangelogMessage& message : broker.messages(OriginName{"shop"})) {
      actors.insert(decode_batch(message.bytes)->actor.value);
    }
    return actors.size();
  }

  /// What a replica that reads the whole changelog ends with, over all actors.
  std::int64_t total() {
    std::map<std::uint64_t, std::int64_t> by_actor;
    for (const ChangelogMessage& message : broker.messages(OriginName{"shop"})) {
      const auto batch = decode_batch(message.bytes);
      REQUIRE(batch);
      for (const Delta& delta : batch->deltas) {
        by_actor[batch->actor.value] =
            crdt::find_type("counter")->totals(delta.body)[0].totals.increments;
      }
    }
    std::int64_t sum = 0;
    for (const auto& [actor, increments] : by_actor) sum += increments;
    return sum;
  }
};

}  // namespace

TEST_CASE("a database restored from a backup gets a new actor and counts nothing twice") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  shop.sell(10);
  const auto backup = shop.outbox.backup();  // holds the 10, not yet sealed
  shop.relay_everything();
  CHECK(shop.total() == 11);

  for (const bool noticed : {false, true}) {
    CAPTURE(noticed);
    shop.outbox.restore(backup, noticed);
    shop.sell(100);
    shop.relay_everything();
    CHECK(shop.total() == (noticed ? 211 : 111));
    CHECK(shop.actors() == (noticed ? 3 : 2));
  }
}

TEST_CASE("a relay that starts again keeps the actor and its totals") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  shop.sell(2);
  shop.relay_everything();
  CHECK(shop.total() == 3);
  CHECK(shop.actors() == 1);
}

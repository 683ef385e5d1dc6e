#include "relay/publisher.h"

#include <doctest/doctest.h>

#include "connectors/changelog/memory/changelog.h"
#include "tests/unit/gauge_value.h"
#include "tests/unit/standing_clock.h"

using namespace tributary;

namespace {

const OriginName kShop{"shop"};

/// A publisher with its broker, stepped by hand.
struct Press {
  StandingClock clock;
  Metrics metrics;
  RelaySettings settings;
  memory::MemoryBroker broker;
  std::unique_ptr<Changelog> changelog = broker.session("relay");
  Publisher publisher{*changelog, kShop, settings, clock, metrics};
  std::uint64_t seq = 0;

  void add(std::string bytes) {
    const Seq next{++seq};
    publisher.add({ActorId{1}, next, next, std::move(bytes)});
  }
  void run(Micros time) {
    for (const Micros end = clock.now + time; clock.now < end; clock.now += Millis{50}) {
      REQUIRE(publisher.step());
    }
  }
  double gauge(const std::string& name) { return gauge_value(metrics, name, "shop").value_or(-1); }
};

}  // namespace

TEST_CASE("a refusal is no error of the publisher: batches wait and go out when it is lifted") {
  Press press;
  press.broker.refuse("relay", kShop, true);
  press.add("one");
  press.run(Millis{3000});
  CHECK(press.gauge("tributary_relay_failed") == 1);
  CHECK(press.gauge("tributary_relay_changelog_connected") == 0);
  CHECK_FALSE(press.publisher.empty());

  press.broker.refuse("relay", kShop, false);
  press.run(Outage::kLongestWait);
  CHECK(press.publisher.empty());
  CHECK(press.gauge("tributary_relay_failed") == 0);
  CHECK(press.gauge("tributary_relay_changelog_connected") == 1);
  CHECK(press.broker.messages(kShop).size() == 1);
}

TEST_CASE("a batch that the broker finds too large is tried again, slowly, and loses nothing") {
  Press press;
  press.broker.limit_message_bytes(8);
  press.add("small");
  press.add("much too large");
  press.add("after");
  press.run(Millis{10'000});
  CHECK(press.gauge("tributary_relay_failed") == 1);
  CHECK(press.broker.messages(kShop).size() < 20);  // not one attempt per step

  press.broker.limit_message_bytes(0);
  press.run(Outage::kLongestWait);
  CHECK(press.publisher.empty());
  CHECK(press.broker.messages(kShop).back().bytes == "after");
  CHECK(press.gauge("tributary_relay_failed") == 0);
}

TEST_CASE("a publisher that has never reached its broker does not look healthy") {
  Press press;
  CHECK(press.gauge("tributary_relay_changelog_connected") == 0);
  press.broker.cut("relay");
  press.add("one");
  press.run(Millis{3000});
  CHECK(press.gauge("tributary_relay_changelog_connected") == 0);
  CHECK(press.gauge("tributary_relay_failed") == 0);  // no person is needed: it will come back
}

TEST_CASE("a publisher that lost its lease is not connected, and has nothing to be confirmed") {
  Press press;
  press.add("one");
  press.run(Millis{100});
  CHECK(press.gauge("tributary_relay_changelog_connected") == 1);
  press.broker.hold_confirms("relay", true);
  press.add("two");
  press.run(Millis{100});
  CHECK(press.gauge("tributary_relay_unconfirmed_batches") == 1);
  press.publisher.reset();
  CHECK(press.gauge("tributary_relay_changelog_connected") == 0);
  CHECK(press.gauge("tributary_relay_unconfirmed_batches") == 1);  // as far as anybody knows
  press.publisher.leave();
  CHECK(press.gauge("tributary_relay_unconfirmed_batches") == 0);
}

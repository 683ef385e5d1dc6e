/// Tokens that claim more than the relay knows of its region, and a replica that does not answer.
#include <doctest/doctest.h>

#include "tests/unit/gauge_value.h"
#include "tests/unit/relay/shop.h"

using namespace tributary;

namespace {

constexpr ActorId kOther{7};

ReplicaContext applied(std::uint64_t seq) {
  ReplicaContext context;
  context.watermark.raise(kOther, Seq{seq});
  context.hlc = Hlc{1};
  return context;
}

Change remove_having_seen(std::uint64_t seq) {
  Change change = set::remove("cart:1", "lamp");
  change.context.emplace().raise(kOther, Seq{seq});
  return change;
}

/// What the removes in the changelog have seen of the other actor, and how often others were told.
std::vector<std::uint64_t> seen(const memory::MemoryBroker& broker) {
  std::vector<std::uint64_t> seen;
  for (const ChangelogMessage& message : broker.messages(Shop::kName)) {
    const auto batch = decode_batch(message.bytes);
    for (const VersionVector& context : batch->contexts) {
      seen.push_back(context.get(kOther).value);
    }
  }
  return seen;
}

}  // namespace

TEST_CASE("a replica that hangs is asked seldom, and holds up nothing for long") {
  Shop shop;
  int asked = 0;
  bool hangs = true;
  shop.context = applied(3);
  shop.ask_context = [&]() -> Result<ReplicaContext> {
    ++asked;
    if (!hangs) return applied(6);
    shop.clock.now += Millis{5000};
    return fail(ErrorKind::kTransient, "no answer within 5000 ms");
  };
  shop.start();
  shop.steps(5);
  shop.write(remove_having_seen(5));
  for (int i = 0; i < 100; ++i) {
    shop.sell(1);
    shop.steps(1, Millis{100});
  }
  CHECK(asked == 1);
  CHECK(shop.region.total() == 100);
  CHECK(seen(shop.broker) == std::vector<std::uint64_t>{3});  // what was known
  hangs = false;
  shop.steps(300);
  shop.write(remove_having_seen(5));
  shop.steps(20);
  CHECK(shop.status().depth == 0);
  CHECK(seen(shop.broker) == std::vector<std::uint64_t>{3, 5});
  CHECK(asked < 4);
}

TEST_CASE("a token that the region has applied by now counts as given, without a word") {
  Shop shop;
  int asked = 0;
  shop.ask_context = [&]() -> Result<ReplicaContext> {
    ++asked;
    return applied(6);
  };
  shop.context = applied(3);
  shop.start();
  shop.steps(5);
  shop.write(remove_having_seen(3));
  shop.steps(5);
  CHECK(asked == 0);
  shop.write(remove_having_seen(5));
  shop.steps(5);
  CHECK(asked == 1);
  CHECK(seen(shop.broker) == std::vector<std::uint64_t>{3, 5});
}

TEST_CASE("a token beyond what the region has applied, when it is asked, counts up to that") {
  Shop shop;
  shop.ask_context = []() -> Result<ReplicaContext> { return applied(6); };
  shop.context = applied(3);
  shop.start();
  shop.write(remove_having_seen(1000));
  shop.steps(10);
  CHECK(shop.status().depth == 0);
  CHECK(seen(shop.broker) == std::vector<std::uint64_t>{6});
}

TEST_CASE("a relay that leads no more shows nothing of what it knew as the leader") {
  Shop shop;
  shop.context = applied(3);
  shop.ask_context = []() -> Result<ReplicaContext> {
    return fail(ErrorKind::kTransient, "no answer");
  };
  const auto gauge = [&](const std::string& name) {
    return gauge_value(shop.metrics, "tributary_relay_" + name, "shop").value_or(-1);
  };
  shop.start();
  shop.steps(5);
  shop.broker.hold_confirms("relay", true);
  shop.sell(1);
  shop.steps(1);
  shop.write(remove_having_seen(5));
  shop.steps(1, Millis{1});
  REQUIRE(gauge("leading") == 1);
  REQUIRE(gauge("waiting_changes") == 1);
  REQUIRE(gauge("unconfirmed_batches") == 1);
  SUBCASE("another one took the lease") {
    shop.outbox.disconnect_all();
    const auto other = shop.outbox.open_store();
    REQUIRE(other->lead());
    shop.steps(5);
  }
  SUBCASE("it gave it back") { shop.relay->release(); }
  CHECK(gauge("leading") == 0);
  CHECK(gauge("waiting_changes") == 0);
  CHECK(gauge("unconfirmed_batches") == 0);
}

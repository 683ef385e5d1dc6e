/// What a changed topology would do to changes on their way.
#include "cli/waiting_types.h"

#include <doctest/doctest.h>

#include "connectors/outbox/memory/outbox_store.h"
#include "tests/unit/relay/shop.h"

using namespace tributary;
using cli::TypeChanges;

namespace {

const Schema kRemoved{{{"price:*", "register"}, {"cart:*", "set"}}, {}};
const Schema kRetyped{{{"stock:*", "set"}, {"price:*", "register"}, {"cart:*", "set"}}, {}};

TypeChanges look(Shop& shop, const Schema& after) {
  TypeChanges changes;
  REQUIRE(
      cli::look_at_waiting(*shop.outbox.open_store(), Shop::kName, shop.schema, after, changes));
  return changes;
}

}  // namespace

TEST_CASE("rows that wait and that a topology would not take any more are told by their keys") {
  Shop shop;
  shop.sell(3);
  shop.sell(4);
  shop.write(register_::set("price:1", "9"));
  CHECK(look(shop, shop.schema).waiting == 0);
  CHECK(look(shop, {{{"*", "counter"}}, {}}).told.front().key == "price:1");

  const TypeChanges removed = look(shop, kRemoved);
  CHECK(removed.waiting == 2);
  CHECK(removed.sealed == 0);
  REQUIRE(removed.told.size() == 1);
  CHECK(removed.told[0].key == "stock:1");
  CHECK(removed.told[0].from == "counter");
  CHECK(removed.told[0].to.empty());
  CHECK(removed.told[0].origin == "shop");

  const TypeChanges retyped = look(shop, kRetyped);
  CHECK(retyped.waiting == 2);
  CHECK(retyped.told.at(0).to == "set");
}

TEST_CASE("so are changes that are sealed and not confirmed, when their type would change") {
  Shop shop;
  shop.start();
  shop.steps(10);
  shop.broker.hold_confirms("relay", true);
  shop.sell(3);
  shop.steps(5);
  shop.relay.reset();
  REQUIRE(shop.status().depth == 0);
  REQUIRE(shop.status().unconfirmed == 1);
  CHECK(look(shop, kRemoved).waiting == 0);  // consumers take what no keyspace decides
  const TypeChanges retyped = look(shop, kRetyped);
  CHECK(retyped.waiting == 1);
  CHECK(retyped.sealed == 1);
  CHECK(retyped.told.at(0).key == "stock:1");
  shop.broker.hold_confirms("relay", false);
  shop.relay_everything();
  CHECK(look(shop, kRetyped).waiting == 0);
}

TEST_CASE("more than can be looked through counts as not asked") {
  Shop shop;
  const auto session = shop.outbox.open_session();
  for (int i = 0; i < 101; ++i) {
    REQUIRE(session->begin());
    Transaction transaction(session->outbox());
    for (int n = 0; n < 1000; ++n) REQUIRE(transaction.write(counter::add("stock:1", 1)));
    REQUIRE(transaction.commit());
  }
  const TypeChanges changes = look(shop, kRetyped);
  CHECK(changes.waiting == 100'000);
  CHECK(changes.told.size() == 1);
  REQUIRE(changes.unasked.size() == 1);
  CHECK(changes.unasked[0].find("shop") != std::string::npos);

  Schema added = shop.schema;
  added.keyspaces.push_back({"gift:*", "set"});
  CHECK(look(shop, added).unasked.empty());  // no key changes its type: nothing to look for
  added.keyspaces.insert(added.keyspaces.begin(), {"stock:1", "set"});
  CHECK(look(shop, added).waiting == 100'000);
}

/// Which actor an origin draws, and whose an actor is.
#include <doctest/doctest.h>

#include "tests/unit/relay/shop.h"

using namespace tributary;

namespace {

/// Of these bits an actor of "shop" bears the mark of an actor of "till", too.
constexpr std::uint64_t kFitsTill = 9'986'298;

}  // namespace

TEST_CASE("an actor that looks like another origin's by chance is not minted") {
  const ActorId both = ActorId::make(Shop::kName, kFitsTill);
  REQUIRE(both.made_for(OriginName{"till"}));
  Shop shop;
  shop.settings.origins = {Shop::kName, OriginName{"till"}};
  shop.random = kFitsTill - 2;  // one is drawn for the back-off
  shop.sell(1);
  shop.relay_everything();
  CHECK(shop.random == kFitsTill + 1);
  CHECK(shop.status().actor == ActorId::make(Shop::kName, kFitsTill + 1));
  CHECK(shop.region.total() == 1);
}

TEST_CASE("an actor that came to look like another origin's, which was added later, goes on") {
  Shop shop;
  shop.random = kFitsTill - 2;
  shop.sell(1);
  shop.relay_everything();
  REQUIRE(shop.status().actor == ActorId::make(Shop::kName, kFitsTill));
  shop.settings.origins = {Shop::kName, OriginName{"till"}};
  for (int i = 0; i < 2; ++i) {
    shop.sell(10);
    shop.relay_everything();
  }
  CHECK(shop.region.total() == 21);
  CHECK(shop.region.lost == 0);
  CHECK(shop.status().former.empty());
}

TEST_CASE("another origin's actor is told by the replicas, and our own by the database above all") {
  const OriginName till{"till"};
  OtherActors others(Shop::kName, {Shop::kName, till});
  const ActorId both = ActorId::make(Shop::kName, kFitsTill);
  CHECK(others.contains(both));
  others.insert_held(both);
  CHECK_FALSE(others.contains(both));
  others.insert(both);
  CHECK(others.contains(both));
  others.insert_own(both);
  CHECK_FALSE(others.contains(both));
}

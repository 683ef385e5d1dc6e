/// What a backup holds that was parked, retried or discarded since.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/unit/relay/shop.h"

using namespace tributary;

namespace {

/// A shop whose 5 pieces no keyspace matched any more when the relay came to them.
struct ParkedShop : Shop {
  Schema narrow{{{"price:*", "register"}}, {}};

  ParkedShop() {
    sell(1);
    relay_everything();
    sell(5);
  }
  void park() {
    outbox.apply(narrow);
    relay_everything();
    REQUIRE(status().parked == 1);
  }
  std::int64_t parked_transaction() { return outbox.open_store()->parked(0, 1)->at(0).transaction; }
  void retry() {
    outbox.apply(schema);
    REQUIRE(outbox.open_store()->retry_parked(parked_transaction()));
    relay_everything();
    REQUIRE(region.total() == 6);
  }
};

}  // namespace

TEST_CASE("what was retried and published is recognised in an older backup") {
  for (const bool noticed : {false, true}) {
    CAPTURE(noticed);
    ParkedShop shop;
    const auto waiting = shop.outbox.backup();
    shop.park();
    const auto parked = shop.outbox.backup();
    shop.retry();
    for (const auto* backup : {&waiting, &parked, &waiting}) {
      shop.outbox.restore(*backup, noticed);
      shop.outbox.apply(shop.schema);
      shop.relay_everything();
      CHECK(shop.region.total() == 6);
      CHECK(shop.status().depth == 0);
      CHECK(shop.status().parked == 0);
    }
    shop.sell(10);
    shop.relay_everything();
    CHECK(shop.region.total() == 16);
  }
}

TEST_CASE(
    "what is written between restores of one backup is never in doubt while the log is whole") {
  for (const bool noticed : {false, true}) {
    CAPTURE(noticed);
    Shop shop;
    shop.sell(1);
    shop.relay_everything();
    const auto backup = shop.outbox.backup();
    shop.sell(1);
    shop.relay_everything();
    std::int64_t total = 2;
    for (const std::int64_t amount : {10, 100, 1000}) {
      shop.outbox.restore(backup, noticed);
      shop.sell(amount);
      shop.relay_everything();
      CHECK(shop.status().parked == 0);
      CHECK(shop.region.total() == (total += amount));
    }
  }
}

TEST_CASE("of the rows that share a transaction's number only those that were published go") {
  Shop shop;
  shop.outbox.share_numbers();
  shop.relay_everything();
  shop.sell(1);
  const auto between = shop.outbox.backup();  // two rows of one number
  shop.sell(10);
  const auto both = shop.outbox.backup();
  shop.relay_everything();
  CHECK(shop.region.total() == 11);
  shop.outbox.restore(between, false);
  shop.sell(100);  // with the number and the id of the second
  shop.relay_everything();
  CHECK(shop.region.total() == 111);
  for (const auto* backup : {&between, &both}) {
    shop.outbox.restore(*backup, false);
    shop.relay_everything();
    CHECK(shop.region.total() == 111);
    CHECK(shop.status().parked == 0);
  }
}

TEST_CASE("what was discarded is told by an origin that is never idle, too") {
  ParkedShop shop;
  shop.park();
  REQUIRE(shop.outbox.open_store()->discard_parked(shop.parked_transaction()));
  shop.outbox.apply(shop.schema);
  shop.start();
  shop.steps(3);
  for (int i = 0; i < 4; ++i) {
    shop.broker.hold_confirms("relay", true);
    shop.sell(1);
    shop.clock.now += shop.settings.housekeeping;
    shop.steps(1, Millis{1});  // keeps house while something is under way
    shop.broker.hold_confirms("relay", false);
    shop.steps(1, Millis{1});
  }
  CHECK(shop.outbox.open_store()->discarded(10)->empty());
  shop.stop();
}

TEST_CASE("what was discarded does not come back with an older backup") {
  ParkedShop shop;
  const auto waiting = shop.outbox.backup();
  shop.park();
  const auto parked = shop.outbox.backup();
  REQUIRE(shop.outbox.open_store()->discard_parked(shop.parked_transaction()));
  shop.start();
  shop.steps(3, shop.settings.housekeeping);
  shop.stop();
  CHECK(shop.outbox.open_store()->discarded(10)->empty());
  shop.outbox.apply(shop.schema);
  bool noticed = false;
  std::int64_t total = 1;
  SUBCASE("to another server") { noticed = true; }
  SUBCASE("in place") {}
  SUBCASE("of a time before other changes, too") {
    shop.sell(10);
    shop.relay_everything();
    total += 10;
  }
  for (const auto* backup : {&waiting, &parked}) {
    shop.outbox.restore(*backup, noticed);
    shop.outbox.apply(shop.schema);
    shop.relay_everything();
    CHECK(shop.region.total() == total);
    CHECK(shop.status().depth == 0);
    CHECK(shop.status().parked == 0);
  }
  CHECK(shop.region.lost == 0);
}

TEST_CASE("what was discarded is in doubt when the changelog that told of it was lost") {
  ParkedShop shop;
  shop.park();
  const auto parked = shop.outbox.backup();
  REQUIRE(shop.outbox.open_store()->discard_parked(shop.parked_transaction()));
  shop.start();
  shop.steps(3, shop.settings.housekeeping);
  shop.stop();
  shop.broker.delete_log(Shop::kName);
  shop.outbox.restore(parked, false);
  shop.outbox.apply(shop.schema);
  shop.relay_everything();
  const auto doubted = *shop.outbox.open_store()->parked(0, 10);
  REQUIRE(doubted.size() == 1);
  CHECK(doubted[0].reason.starts_with("in doubt"));
  CHECK(shop.region.total() == 1);
}

TEST_CASE("a batch of discards that the broker had not taken is published by the next relay") {
  ParkedShop shop;
  shop.park();
  REQUIRE(shop.outbox.open_store()->discard_parked(shop.parked_transaction()));
  shop.outbox.apply(shop.schema);
  shop.start();
  shop.steps(3);
  shop.broker.fail_publish("relay", memory::PublishFault::kLostBefore);
  shop.steps(2, shop.settings.housekeeping);
  shop.relay.reset();
  shop.outbox.disconnect_all();
  CHECK(shop.outbox.open_store()->discarded(10)->empty());
  shop.sell(10);
  shop.relay_everything();
  CHECK(shop.region.total() == 11);
  CHECK(shop.region.lost == 0);
  CHECK(shop.status().unconfirmed == 0);
  CHECK(shop.region.progress.watermark.get(*shop.status().actor) == shop.status().head_seq);
}

TEST_CASE("mintings that were never published hide nobody, however many there are") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  const FormerActor last{*shop.status().actor, Seq{1}};
  shop.region_answers = false;
  for (std::size_t i = 0; i < kMostFormer + 10; ++i) {
    shop.start();
    REQUIRE(shop.relay->step());  // leads, and ends before it has published
    shop.stop();
  }
  const std::size_t before = shop.broker.messages(Shop::kName).size();
  shop.sell(10);
  shop.relay_everything();
  const auto messages = shop.broker.messages(Shop::kName);
  REQUIRE(messages.size() > before);
  for (std::size_t i = before; i < messages.size(); ++i) {
    const auto former = decode_batch(messages[i].bytes)->former();
    CHECK(former.size() <= kMostFormer);
    CHECK(former.back() == last);
  }
  CHECK(shop.region.total() == 11);
  CHECK(shop.region.lost == 0);
}

TEST_CASE("a minting whose record comes late is named by the one that follows") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  const FormerActor last{*shop.status().actor, Seq{1}};
  shop.region_answers = false;
  const auto mint = [&] {
    shop.start();
    REQUIRE(shop.relay->step());
    shop.stop();
    return *shop.status().actor;
  };
  const ActorId late = mint();
  mint();
  shop.start();
  const std::string record = heartbeat({late, Shop::kName, Seq{}, Hlc{}}, {{last}}, Hlc{1});
  int steps = 0;
  SUBCASE("before the next one has looked") {}
  SUBCASE("before the next one's") { steps = 1; }
  SUBCASE("behind it") { steps = 30; }
  shop.steps(steps);
  const auto writer = shop.changelog->open_writer(Shop::kName);
  REQUIRE((*writer)->publish(1, record));
  shop.steps(30);
  shop.sell(10);
  shop.steps(30);
  shop.stop();
  CHECK(shop.region.total() == 11);
  CHECK(shop.region.lost == 0);
  const auto beat = decode_batch(shop.broker.messages(Shop::kName).back().bytes);
  CHECK(names(beat->former(), late));  // a region that could not be asked may go by it
  CHECK(names(beat->former(), last.actor));
}

TEST_CASE("a batch that does not know the rows' tags takes none of them away") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  shop.sell(5);
  const auto rows = *shop.outbox.open_store()->status();
  REQUIRE(rows.depth == 1);
  Batch forged{.actor = *shop.status().actor,
               .origin = Shop::kName,
               .first_seq = Seq{2},
               .last_seq = Seq{1000},
               .hlc = Hlc{5},
               .rows = {{.transaction = 2, .first_id = 2, .last_id = 1000, .tag = 0}},
               .deltas = {{"stock:1", "counter", Seq{1000}, "forged"}}};
  const auto writer = shop.changelog->open_writer(Shop::kName);
  REQUIRE((*writer)->publish(1, encode(forged)));
  shop.region_answers = false;
  shop.region_reads = false;
  shop.relay_everything();
  shop.relay_everything();
  const auto parked = *shop.outbox.open_store()->parked(0, 10);
  std::size_t published = 0;
  for (const ChangelogMessage& message : shop.broker.messages(Shop::kName)) {
    const auto batch = decode_batch(message.bytes);
    for (const ConsumedRows& each : batch->rows) published += each.first_id == 2 && each.tag != 0;
  }
  CHECK(parked.size() + published == 1);
}

TEST_CASE("what is parked in a backup is in doubt when the changelog does not tell") {
  ParkedShop shop;
  shop.park();
  const auto backup = shop.outbox.backup();
  shop.retry();
  shop.outbox.restore(backup, true);
  shop.broker.delete_log(Shop::kName);
  shop.relay_everything();
  const auto parked = *shop.outbox.open_store()->parked(0, 10);
  REQUIRE(parked.size() == 1);
  CHECK(parked[0].reason.starts_with("in doubt"));
}

TEST_CASE("an actor that published nothing does not hide the one before it") {
  Shop shop;
  for (int i = 0; i < 5; ++i) shop.sell(1);
  shop.relay_everything();
  const ActorId old = *shop.status().actor;
  std::vector<FormerActor> chain{{old, Seq{5}}};
  for (int i = 0; i < 2; ++i) {
    shop.outbox.restore(shop.outbox.backup(), true);
    shop.relay_everything();
    chain.push_back({*shop.status().actor, Seq{}});
  }
  shop.outbox.restore(shop.outbox.backup(), true);
  const std::size_t before = shop.broker.messages(Shop::kName).size();
  shop.sell(10);
  shop.relay_everything();
  CHECK(shop.status().former == chain);
  const auto messages = shop.broker.messages(Shop::kName);
  REQUIRE(messages.size() > before + 1);
  for (std::size_t i = before; i < messages.size(); ++i) {
    const auto batch = decode_batch(messages[i].bytes);
    CHECK(batch->former() == std::vector<FormerActor>(chain.rbegin(), chain.rend()));
  }
  CHECK(shop.region.total() == 15);
}

TEST_CASE("a relay whose region holds more of its actor than was sealed mints another") {
  Shop shop;
  shop.sell(1);
  shop.start();
  shop.steps(10);
  const ActorId before = *shop.status().actor;
  const Batch forged{.actor = before,
                     .origin = Shop::kName,
                     .first_seq = Seq{2},
                     .last_seq = Seq{500},
                     .hlc = Hlc{5},
                     .rows = {{.transaction = 9, .first_id = 2, .last_id = 500, .tag = 7}},
                     .deltas = {{"cart:1", "set", Seq{500}, "forged"}}};
  const auto writer = shop.changelog->open_writer(Shop::kName);
  bool running = false;
  SUBCASE("when it starts") { running = false; }
  SUBCASE("while it runs") { running = true; }
  if (!running) shop.stop();
  REQUIRE((*writer)->publish(1, encode(forged)));
  shop.region.read(shop.broker, Shop::kName);
  REQUIRE(shop.region.progress.watermark.get(before) == Seq{500});
  shop.context = ReplicaContext{shop.region.progress.watermark, Hlc{}, {}};
  if (!running) shop.start();
  shop.steps(100);
  const ActorId after = *shop.status().actor;
  CHECK(after != before);
  CHECK(shop.status().former == std::vector{FormerActor{before, Seq{500}}});
  shop.sell(5);
  shop.steps(100);
  CHECK(*shop.status().actor == after);
  CHECK(shop.region.total() == 6);
  CHECK(shop.region.lost == 0);
}

TEST_CASE("a changelog that seems empty does not make a final seq too small") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  const auto backup = shop.outbox.backup();  // one change was sealed
  shop.sell(2);
  shop.relay_everything();
  const FormerActor before{*shop.status().actor, Seq{2}};
  shop.region_answers = false;
  shop.outbox.restore(backup, false);
  shop.broker.seem_empty("relay", 1);
  shop.sell(4);
  shop.relay_everything();
  CHECK(shop.region.total() == 7);
  CHECK(shop.region.lost == 0);
  const auto& former = shop.status().former;
  CHECK(std::ranges::find(former, before) != former.end());
}

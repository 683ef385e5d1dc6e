/// When an origin's actor may go on, and what becomes of a database that was put back.
#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "tests/unit/relay/shop.h"

using namespace tributary;

TEST_CASE("a relay that starts again keeps the actor and its totals") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  shop.sell(2);
  shop.relay_everything();
  CHECK(shop.region.total() == 3);
  CHECK(shop.status().former.empty());
}

TEST_CASE("a database restored from a backup gets a new actor and counts nothing twice") {
  for (const bool noticed : {false, true}) {
    CAPTURE(noticed);
    Shop shop;
    shop.sell(1);
    shop.relay_everything();
    shop.sell(10);
    const auto backup = shop.outbox.backup();  // holds the 10, not yet sealed
    shop.relay_everything();
    CHECK(shop.region.total() == 11);
    shop.outbox.restore(backup, noticed);
    shop.sell(100);
    shop.relay_everything();
    CHECK(shop.region.total() == 111);
    CHECK(shop.region.lost == 0);
    CHECK(shop.status().former.size() == 1);
  }
}

TEST_CASE("the same backup restored again and again counts what waited in it once") {
  for (const bool noticed : {false, true}) {
    CAPTURE(noticed);
    Shop shop;
    shop.relay_everything();
    shop.sell(5);
    const auto backup = shop.outbox.backup();
    for (int i = 0; i < 3; ++i) {
      shop.outbox.restore(backup, noticed || i == 0);
      shop.relay_everything();
      CHECK(shop.region.total() == 5);
      CHECK(shop.status().depth == 0);
      CHECK(shop.status().parked == 0);
    }
  }
}

TEST_CASE("a database put back under a running relay is noticed at the next seal") {
  Shop shop;
  shop.sell(1);
  shop.start();
  shop.steps(10);
  shop.sell(5);
  const auto backup = shop.outbox.backup();
  shop.steps(10);
  shop.sell(100);
  shop.steps(10);
  CHECK(shop.region.total() == 106);
  shop.outbox.restore_in_place(backup);
  shop.steps(30);
  CHECK(shop.region.total() == 106);
  shop.sell(7);
  shop.steps(30);
  CHECK(shop.region.total() == 113);
  CHECK(shop.region.lost == 0);
}

TEST_CASE("an actor is not used again when the changelog was lost with what it would tell") {
  Shop shop;
  for (int i = 0; i < 5; ++i) shop.sell(1);
  shop.relay_everything();
  const auto backup = shop.outbox.backup();
  for (int i = 0; i < 5; ++i) shop.sell(10);
  shop.relay_everything();
  const auto before = shop.status().actor;
  shop.outbox.restore(backup, false);
  shop.broker.delete_log(Shop::kName);
  SUBCASE("the region's replica tells") {}
  SUBCASE("nobody can be asked") { shop.region_answers = false; }
  shop.sell(100);
  shop.relay_everything();
  CHECK(shop.status().actor != before);
  std::set<std::uint64_t> actors;
  for (const ChangelogMessage& message : shop.broker.messages(Shop::kName)) {
    actors.insert(decode_batch(message.bytes)->actor.value);
  }
  CHECK(!actors.contains(before->value));
}

TEST_CASE("rows that a restored database holds are in doubt when the changelog was lost") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  shop.sell(5);
  const auto backup = shop.outbox.backup();
  shop.relay_everything();
  shop.outbox.restore(backup, true);
  shop.broker.delete_log(Shop::kName);
  shop.relay_everything();
  CHECK(shop.status().depth == 0);
  CHECK(shop.status().parked == 1);
  auto store = shop.outbox.open_store();
  const auto parked = store->parked(0, 10);
  REQUIRE(parked->size() == 1);
  CHECK(parked->front().reason.find("in doubt") != std::string::npos);
  SUBCASE("retried, they are published") {
    CHECK(*store->retry_parked(parked->front().transaction) == 1);
    shop.relay_everything();
    CHECK(shop.region.total() == 1 + 5 + 5);
  }
  SUBCASE("discarded, they are gone") {
    CHECK(*store->discard_parked(parked->front().transaction) == 1);
    shop.relay_everything();
    CHECK(shop.region.total() == 1 + 5);
  }
  CHECK(shop.status().parked == 0);
}

TEST_CASE("rows written while the changelog was lost are no restore and are published") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  shop.broker.delete_log(Shop::kName);
  shop.sell(5);
  shop.relay_everything();
  CHECK(shop.region.total() == 6);
  CHECK(shop.status().parked == 0);
}

TEST_CASE("a changelog whose tail is a batch sent again still tells of all that went before") {
  Shop shop;
  shop.relay_everything();
  for (int i = 0; i < 3; ++i) {
    shop.sell(1);
    shop.relay_everything();
  }
  const auto backup = shop.outbox.backup();
  shop.region_reads = false;  // the region's consumer lags behind
  for (int i = 0; i < 3; ++i) {
    shop.sell(10);
    shop.relay_everything();
  }
  for (const ChangelogMessage& message : shop.broker.messages(Shop::kName)) {
    const auto batch = decode_batch(message.bytes);
    if (batch->heartbeat() || batch->first_seq != Seq{2}) continue;
    const auto writer = shop.changelog->open_writer(Shop::kName);
    REQUIRE((*writer)->publish(1, message.bytes));
    break;
  }
  shop.outbox.restore(backup, false);
  shop.sell(100);
  shop.relay_everything();
  shop.region_reads = true;
  shop.relay_everything();
  CHECK(shop.region.total() == 133);
  CHECK(shop.region.lost == 0);
}

TEST_CASE("a new actor names the one before it and its final seq, in every message") {
  Shop shop;
  shop.sell(1);
  shop.sell(2);
  shop.relay_everything();
  const ActorId before = *shop.status().actor;
  const Seq final_seq = shop.status().head_seq;
  shop.outbox.restore(shop.outbox.backup(), true);
  shop.sell(3);
  shop.relay_everything();
  std::size_t named = 0;
  for (const ChangelogMessage& message : shop.broker.messages(Shop::kName)) {
    const auto batch = decode_batch(message.bytes);
    if (batch->actor == before) continue;
    CHECK(batch->predecessor == FormerActor{before, final_seq});
    ++named;
  }
  CHECK(named > 1);
  CHECK(shop.status().former == std::vector{FormerActor{before, final_seq}});
}

TEST_CASE("a region that has not read on does not hide whom the database knows as its last actor") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  shop.outbox.restore(shop.outbox.backup(), true);
  shop.region_reads = false;  // it goes by the first actor
  shop.sell(2);
  shop.relay_everything();
  const FormerActor last{*shop.status().actor, shop.status().head_seq};
  shop.broker.delete_log(Shop::kName);
  shop.relay_everything();
  const auto messages = shop.broker.messages(Shop::kName);
  REQUIRE_FALSE(messages.empty());
  CHECK(decode_batch(messages.back().bytes)->predecessor == last);
}

TEST_CASE("whoever answers, a relay takes no actor for its own that was made for another origin") {
  Shop shop;
  const OriginName till{"till"};
  shop.settings.origins = {Shop::kName, till};
  shop.sell(1);
  shop.relay_everything();
  const ActorId own = *shop.status().actor;
  REQUIRE(own.made_for(Shop::kName));
  const Batch forged{.actor = ActorId::make(till, 3),
                     .origin = Shop::kName,
                     .first_seq = Seq{10},
                     .last_seq = Seq{9},
                     .hlc = {}};
  const auto writer = shop.changelog->open_writer(Shop::kName);
  REQUIRE((*writer)->publish(1, encode(forged)));
  shop.region_answers = false;
  shop.region_reads = false;
  shop.sell(2);
  shop.relay_everything();
  for (const FormerActor& former : shop.status().former) CHECK(former.actor == own);
}

TEST_CASE("a changelog that seems empty at first does not hide what was published") {
  Shop shop;
  shop.sell(1);
  const auto backup = shop.outbox.backup();  // of a time when no relay had led
  shop.relay_everything();
  const FormerActor before{*shop.status().actor, shop.status().head_seq};
  REQUIRE(before.final_seq == Seq{1});
  shop.region_answers = false;
  shop.outbox.restore(backup, true);
  SUBCASE("to the one who takes the lead") { shop.broker.seem_empty("relay", 1); }
  SUBCASE("nor when it looks for its own record") { shop.broker.seem_empty("relay", 2); }
  shop.sell(5);
  shop.relay_everything();
  CHECK(shop.region.total() == 6);
  CHECK(shop.region.lost == 0);
  CHECK(shop.status().depth == 0);
  const auto& former = shop.status().former;
  CHECK(std::ranges::find(former, before) != former.end());
}

TEST_CASE("a changelog that seems empty does not hide what the actor itself published") {
  Shop shop;
  shop.start();
  shop.steps(10);
  shop.stop();
  shop.region_reads = false;
  shop.sell(1);
  const auto backup = shop.outbox.backup();  // of an actor that had sealed nothing
  REQUIRE(shop.status().actor.has_value());
  shop.relay_everything();
  shop.outbox.restore(backup, false);
  shop.broker.seem_empty("relay", 1);
  shop.sell(5);
  shop.relay_everything();
  shop.region.read(shop.broker, Shop::kName);
  CHECK(shop.region.total() == 6);
  CHECK(shop.region.lost == 0);
  CHECK(shop.status().depth == 0);
}

TEST_CASE("rows are in doubt when the changelog was lost, though nothing of the actor was sealed") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  shop.outbox.restore(shop.outbox.backup(), true);
  shop.region_reads = false;
  shop.start();
  shop.steps(10);  // the copy has another actor
  shop.stop();
  shop.sell(2);
  const auto backup = shop.outbox.backup();
  shop.relay_everything();
  shop.outbox.restore(backup, false);
  shop.broker.delete_log(Shop::kName);
  shop.region.progress = {};
  shop.relay_everything();
  CHECK(shop.status().parked == 1);
}

TEST_CASE("an actor that names nobody is no evidence: no consumer obeys it") {
  for (const bool answers : {true, false}) {
    CAPTURE(answers);
    Shop shop;
    shop.sell(1);
    shop.relay_everything();
    const ActorId own = *shop.status().actor;
    const Batch forged{.actor = ActorId{7},
                       .origin = Shop::kName,
                       .first_seq = Seq{1},
                       .last_seq = Seq{1},
                       .hlc = {},
                       .deltas = {{"stock:1", "counter", Seq{1}, "forged"}}};
    const auto writer = shop.changelog->open_writer(Shop::kName);
    REQUIRE((*writer)->publish(1, encode(forged)));
    shop.region_answers = answers;
    shop.region_reads = false;
    shop.sell(2);
    shop.relay_everything();
    for (const FormerActor& former : shop.status().former)
      CHECK(former == FormerActor{own, Seq{1}});
  }
}

TEST_CASE("a batch before which changes are missing does not count: nobody can apply it") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  const FormerActor last{*shop.status().actor, shop.status().head_seq};
  shop.region_reads = false;
  // The broker refused seq 2 and took seq 3, and then the database went back.
  shop.publish({last.actor, Seq{3}});
  for (const bool answers : {true, false}) {
    shop.outbox.restore(shop.outbox.backup(), true);
    shop.region_answers = answers;
    shop.relay_everything();
    const auto& former = shop.status().former;
    CHECK(std::ranges::find(former, last) != former.end());
  }
}

TEST_CASE("what the old relay gets in before the record of a minting is not published twice") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  shop.sell(5);
  const auto backup = shop.outbox.backup();
  // The old relay seals the 5, and its bytes are stuck in a socket.
  shop.start();
  shop.broker.hold_confirms("relay", true);
  const auto log = shop.broker.messages(Shop::kName).size();
  shop.steps(10);
  shop.stop();
  shop.broker.hold_confirms("relay", false);
  std::string stuck;
  for (const ChangelogMessage& message : shop.broker.messages(Shop::kName)) {
    const auto batch = decode_batch(message.bytes);
    if (!batch->heartbeat() && batch->first_seq == Seq{2}) stuck = message.bytes;
  }
  REQUIRE(log > 0);
  Shop standby;  // the same database, without the last seal, and a broker without those bytes
  standby.random = 200;
  for (const ChangelogMessage& message : shop.broker.messages(Shop::kName)) {
    if (message.bytes == stuck) break;
    REQUIRE(standby.changelog->declare(Shop::kName));
    const auto writer = standby.changelog->open_writer(Shop::kName);
    REQUIRE((*writer)->publish(1, message.bytes));
  }
  standby.region.read(standby.broker, Shop::kName);
  standby.outbox.restore(backup, true);
  standby.start();
  REQUIRE(standby.relay->step());  // leads: has looked through the changelog
  const auto publish_stuck = [&] {
    const auto writer = standby.changelog->open_writer(Shop::kName);
    REQUIRE((*writer)->publish(1, stuck));
  };
  SUBCASE("it arrives before the record") {
    publish_stuck();
    standby.steps(30);
  }
  SUBCASE("it arrives behind the record") {
    standby.steps(30);
    publish_stuck();
    standby.steps(5);
  }
  SUBCASE("it arrives before the record, which another relay mints anew") {
    standby.stop();
    publish_stuck();
    standby.region_answers = false;
    standby.start();
    standby.steps(30);
  }
  CHECK(standby.region.total() == 6);
  CHECK(standby.status().depth == 0);
}

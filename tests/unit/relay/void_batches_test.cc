#include "tests/unit/relay/torn_shop.h"

namespace tributary {
TEST_CASE_FIXTURE(TornShop, "what an actor sealed in vain is published by the one that followed") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  sell(2);
  relay_everything();
  const memory::OutboxBackup newer = sealed_in_vain([&] { sell(4); });
  put_back(old, false);
  CHECK(region.total() == 3);
  put_back(newer, false);
  CHECK(region.total() == 7);
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 0);
  SUBCASE("and once, however often the backup is put back") {
    for (int i = 0; i < 3; ++i) put_back(newer, i == 1);
    put_back(old, false);
    put_back(newer, false);
    CHECK(region.total() == 7);
    CHECK(region.lost == 0);
    CHECK(parked() == 0);
  }
}

TEST_CASE_FIXTURE(TornShop, "rows that were sealed in vain and published otherwise go") {
  start();
  steps(30);
  cut_off();
  sell(4);
  const memory::OutboxBackup old = outbox.backup();
  SUBCASE("all of them") {
    steps(30);
    const memory::OutboxBackup newer = outbox.backup();
    relay.reset();
    heal();
    put_back(old, true);
    CHECK(region.total() == 5);
    put_back(newer, true);
    CHECK(region.total() == 5);
    CHECK(parked() == 0);
  }
  SUBCASE("some of them: a person decides") {
    sell(8);
    steps(30);
    const memory::OutboxBackup newer = outbox.backup();
    relay.reset();
    heal();
    put_back(old, true);
    put_back(newer, true);
    CHECK(region.total() == 5);
    const auto rows = *outbox.open_store()->parked(0, 10);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].key == "stock:1");
    CHECK(rows[0].amount == 12);
    CHECK(rows[0].reason.find("in doubt after a restore") == 0);
    REQUIRE(outbox.open_store()->retry_parked(rows[0].transaction));
    relay_everything();
    CHECK(region.total() == 17);
  }
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE_FIXTURE(TornShop, "what was sealed in vain is in doubt when the changelog was trimmed") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  sell(2);
  relay_everything();
  const memory::OutboxBackup newer = sealed_in_vain([&] { sell(4); });
  put_back(old, false);
  sell(8);
  relay_everything();
  broker.truncate(kName, 1);
  put_back(newer, false);
  CHECK(region.total() == 11);
  CHECK(parked() == 1);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE_FIXTURE(TornShop, "sealing anew is taken up where it stopped") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  sell(2);
  relay_everything();
  settings.batch_changes = 1;
  const memory::OutboxBackup newer = sealed_in_vain([&] {
    sell(4);
    sell(8);
    sell(16);
  });
  put_back(old, false);
  for (const bool after : {false, true}) {
    for (int fail_at = 1; fail_at <= 3; ++fail_at) {
      int calls = 0;
      outbox.set_fault([&](std::string_view operation, bool late) -> std::optional<Error> {
        if (operation != "reseal" || late != after || ++calls != fail_at) return std::nullopt;
        return Error{ErrorKind::kTransient, "the database went away"};
      });
      put_back(newer, false);
      CHECK(region.total() == 31);
      CHECK(region.lost == 0);
      CHECK(parked() == 0);
    }
  }
}

TEST_CASE_FIXTURE(TornShop, "sealing anew takes no more at a time than may wait for a confirm") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  sell(2);
  relay_everything();
  settings.batch_changes = 1;
  const memory::OutboxBackup newer = sealed_in_vain([&] {
    for (int i = 0; i < 10; ++i) sell(4);
  });
  put_back(old, false);
  settings.unconfirmed_bytes = 1;
  outbox.restore(newer, false);
  int resealed = 0;
  outbox.set_fault([&](std::string_view operation, bool late) -> std::optional<Error> {
    resealed += operation == "reseal" && late ? 1 : 0;
    return std::nullopt;
  });
  start();
  for (int i = 0; i < 60; ++i) {
    resealed = 0;
    steps(1);
    CHECK(resealed <= 1);
  }
  CHECK(region.total() == 43);
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE_FIXTURE(TornShop, "a void batch that is not understood stays, and holds up no other") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  sell(2);
  relay_everything();
  sell(4);
  seal_by_hand(false);
  sell(8);
  seal_by_hand(true);
  const memory::OutboxBackup newer = outbox.backup();
  put_back(old, false);
  settings.unconfirmed_bytes = 1;
  put_back(newer, false);
  CHECK(region.total() == 11);
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 1);
}

TEST_CASE_FIXTURE(TornShop, "what turns out to be void is not taken for confirmed") {
  relay_everything();
  const FormerActor published{*status().actor, status().head_seq};
  sealed_in_vain([&] { sell(4); });
  start();
  REQUIRE(relay->step());
  REQUIRE(relay->leading());
  // Of another life of the database, out of a socket that was blocked.
  const OriginHead other{ActorId::make(kName, 12345), kName, Seq{}, Hlc{}};
  const auto session = broker.session("a former relay");
  const std::string record = heartbeat(other, std::vector{published}, Hlc{});
  REQUIRE((*session->open_writer(kName))->publish(1, record));
  steps(60);
  CHECK(region.total() == 5);
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE("what a young actor sealed in vain is published by the one that followed") {
  TornShop shop(false);
  shop.start();
  shop.steps(10, shop.settings.heartbeat);
  shop.relay.reset();
  const memory::OutboxBackup old = shop.outbox.backup();
  const memory::OutboxBackup newer = shop.sealed_in_vain([&] { shop.sell(4); });
  shop.put_back(old, true);
  shop.sell(2);
  shop.relay_everything();
  shop.put_back(newer, true);
  CHECK(shop.region.total() == 6);
  CHECK(shop.region.lost == 0);
  CHECK(shop.parked() == 0);
}

TEST_CASE_FIXTURE(TornShop, "whatever type it was, it does the same when it is sealed anew") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  sell(2);
  write(set::add("cart:1", "pear"));
  relay_everything();
  const memory::OutboxBackup newer = sealed_in_vain([&] {
    write(set::remove("cart:1", "pear"));
    write(set::add("cart:1", "plum"));
    write(register_::set("price:1", "9"));
    write(set::clear("cart:2"));
  });
  put_back(old, false);
  put_back(newer, false);
  CHECK(last("cart:1") == "remove pear;add plum;");
  CHECK(last("cart:2") == "clear ;");
  CHECK(last("price:1") == "set 9;");
  CHECK(region.lost == 0);
}

TEST_CASE_FIXTURE(TornShop, "a discard that was told in vain is told again") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  sell(2);
  relay_everything();
  sell(4);
  const memory::OutboxBackup waiting = outbox.backup();
  Schema narrow = schema;
  narrow.keyspaces.erase(narrow.keyspaces.begin());
  outbox.apply(narrow);
  start();
  steps(3);
  cut_off();
  const auto rows = *outbox.open_store()->parked(0, 10);
  REQUIRE(rows.size() == 1);
  REQUIRE(outbox.open_store()->discard_parked(rows[0].transaction));
  steps(3, settings.housekeeping);
  REQUIRE(status().unconfirmed == 1);
  const memory::OutboxBackup newer = outbox.backup();
  relay.reset();
  heal();
  put_back(old, false);
  put_back(newer, false);
  put_back(waiting, false);
  CHECK(region.total() == 3);
  CHECK(region.lost == 0);
  CHECK(parked() == 0);
}

}  // namespace tributary

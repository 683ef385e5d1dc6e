// Numbers that a database gave twice, since it was put back unnoticed.
#include "tests/unit/relay/torn_shop.h"

namespace tributary {

TEST_CASE_FIXTURE(TornShop, "numbers that were given twice are told by what they stand for") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  const memory::OutboxBackup newer = sealed_in_vain([&] { sell(4); });
  outbox.restore(old, false);  // nobody can tell: nothing was published since
  sell(8);
  SUBCASE("as many as before") {}
  SUBCASE("more than before") { sell(16); }
  const std::int64_t total = 1 + (status().depth == 2 ? 24 : 8);
  relay_everything();
  CHECK(region.total() == total);
  SUBCASE("though the region has read them") {}
  SUBCASE("and the region has not read them yet") { region = {}; }
  put_back(newer, false);
  region.read(broker, kName);
  CHECK(region.total() == total + 4);
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE_FIXTURE(TornShop, "… and once more, when the relay that found it out had to stop") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  const memory::OutboxBackup newer = sealed_in_vain([&] { sell(4); });
  outbox.restore(old, false);
  sell(8);
  SUBCASE("as many as before") {}
  SUBCASE("more than before") { sell(16); }
  settings.batch_changes = 1;
  relay_everything();
  const std::int64_t total = region.total();
  int refused = 0;
  outbox.set_fault([&](std::string_view operation, bool late) -> std::optional<Error> {
    if (operation != "reseal" || late || ++refused > 3) return std::nullopt;
    return Error{ErrorKind::kTransient, "the database went away"};
  });
  put_back(newer, false);
  relay_everything();
  CHECK(refused > 3);
  CHECK(region.total() == total + 4);
  CHECK(region.lost == 0);
  CHECK(status().former.size() == 1);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE_FIXTURE(TornShop, "what was skipped, since its numbers were gone, was not published") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  settings.batch_changes = 1;
  const memory::OutboxBackup newer = sealed_in_vain([&] { sell(4); });
  const auto late = *outbox.open_store()->unconfirmed(0, {10});
  outbox.restore(old, false);
  sell(8);
  SUBCASE("as many as before") {}
  SUBCASE("more than before") { sell(16); }
  relay_everything();
  const std::int64_t total = region.total();
  arrive(late);
  put_back(newer, false);
  CHECK(region.total() == total + 4);
  CHECK(region.lost == 0);
  CHECK(parked() == 0);
}

TEST_CASE_FIXTURE(TornShop, "nothing is confirmed that others' numbers arrived before") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  sealed_in_vain([&] { sell(8); });
  const auto late = *outbox.open_store()->unconfirmed(0, {10});
  outbox.restore(old, false);
  sealed_in_vain([&] { sell(4); });
  bool arrived = false;
  outbox.set_fault([&](std::string_view operation, bool) -> std::optional<Error> {
    // The changelog was looked at, and nothing is published yet.
    if (operation == "retained" && !std::exchange(arrived, true)) arrive(late);
    return std::nullopt;
  });
  relay_everything();
  REQUIRE(arrived);
  CHECK(region.total() == 13);
  CHECK(region.lost == 0);
  CHECK(parked() == 0);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE_FIXTURE(TornShop, "numbers that were given twice are told however long ago") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  const memory::OutboxBackup newer = sealed_in_vain([&] { sell(4); });
  outbox.restore(old, false);
  settings.batch_changes = 1;
  constexpr int kMany = 1200;  // messages, more than are looked at otherwise
  start();
  for (int i = 0; i < kMany; ++i) {
    sell(1);
    steps(3);
  }
  stop();
  REQUIRE(region.total() == 1 + kMany);
  put_back(newer, false);
  CHECK(region.total() == 1 + kMany + 4);
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE_FIXTURE(TornShop, "… though something of before was published again since") {
  relay_everything();
  const memory::OutboxBackup old = sealed_in_vain([&] { sell(2); });
  relay_everything();
  const memory::OutboxBackup newer = sealed_in_vain([&] { sell(4); });
  outbox.restore(old, false);
  settings.batch_changes = 1;
  constexpr int kMany = 1200;
  start();
  for (int i = 0; i < kMany; ++i) {
    sell(1);
    steps(3);
  }
  stop();
  put_back(old, false);  // which says once more what it had not seen confirmed
  REQUIRE(region.total() == 3 + kMany);
  put_back(newer, false);
  CHECK(region.total() == 3 + kMany + 4);
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE_FIXTURE(TornShop, "numbers that were given twice are told by what a region has applied") {
  relay_everything();
  const memory::OutboxBackup old = outbox.backup();
  settings.batch_changes = 1;
  const memory::OutboxBackup newer = sealed_in_vain([&] {
    sell(4);
    sell(8);
  });
  outbox.restore(old, false);
  sell(16);
  SUBCASE("as many as before") { sell(32); }
  SUBCASE("more than before") {
    sell(32);
    sell(64);
  }
  SUBCASE("fewer than before") {}
  relay_everything();
  const std::int64_t total = region.total();
  broker.truncate(kName, 1);  // to its last heartbeat
  put_back(newer, false);
  CHECK(region.total() == total);
  CHECK(parked() == 2);
  CHECK(status().unconfirmed == 0);
  CHECK(region.lost == 0);
}

TEST_CASE_FIXTURE(TornShop, "what regions go by is published again to a new log, of every actor") {
  relay_everything();
  sell(2);
  relay_everything();
  outbox.restore(outbox.backup(), true);
  SUBCASE("the last one has published changes") { sell(4); }
  SUBCASE("the last one has published nothing") {}
  relay_everything();
  REQUIRE(status().former.size() == 1);
  const std::int64_t total = region.total();
  broker.delete_log(kName);
  outbox.publish_again();
  ShopReader behind;
  start();
  steps(60);
  behind.read(broker, kName);
  CHECK(behind.total() == total);
  CHECK(behind.lost == 0);
  CHECK(parked() == 0);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE_FIXTURE(TornShop, "a row that the other changes were is not published once more") {
  settings.batch_changes = 1;
  settings.unconfirmed_bytes = 1;
  memory::OutboxBackup old = outbox.backup();
  const memory::OutboxBackup newer = sealed_in_vain([&] {
    const auto session = outbox.open_session();
    REQUIRE(session->begin());
    Transaction earlier(session->outbox());
    REQUIRE(earlier.write(counter::add("stock:1", 2)));
    REQUIRE(earlier.flush());
    sell(4);
    old = outbox.backup();
    REQUIRE(earlier.commit());
  });
  REQUIRE(status().depth == 1);
  put_back(old, false);
  REQUIRE(region.total() == 5);
  broker.truncate(kName, 1);
  put_back(newer, false);
  CHECK(region.total() == 5);
  CHECK(parked() == 2);
  CHECK(region.lost == 0);
}

}  // namespace tributary

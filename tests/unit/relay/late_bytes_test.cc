// A database that is put back while what was published before is still on its way.
#include <vector>

#include "tests/unit/relay/shop.h"

namespace tributary {
namespace {

struct LateShop : Shop {
  LateShop() {
    sell(1);
    start();
    steps(30);
  }
  /// Sealed, handed to the broker, and in no log yet.
  std::vector<SealedBatch> on_its_way(std::int64_t amount) {
    broker.fail_publish("relay", memory::PublishFault::kLostBefore);
    sell(amount);
    for (int i = 0; i < 60 && status().depth > 0; ++i) steps(1);
    return *outbox.open_store()->unconfirmed(0, {10});
  }
  void arrive(const std::vector<SealedBatch>& batches) {
    const auto session = broker.session("a former relay");
    const auto writer = session->open_writer(kName);
    std::uint64_t tag = 0;
    for (const SealedBatch& batch : batches) REQUIRE((*writer)->publish(++tag, batch.bytes));
  }
};

}  // namespace

TEST_CASE_FIXTURE(LateShop, "a relay does not give numbers again that it has published itself") {
  const memory::OutboxBackup old = outbox.backup();
  const auto late = on_its_way(2);
  const std::size_t before = minted();
  outbox.restore_in_place(old);
  sell(4);
  SUBCASE("and that arrive before it goes on") { arrive(late); }
  SUBCASE("and that arrive while it goes on") {
    for (int i = 0; i < 60 && minted() == before; ++i) steps(1);
    arrive(late);
  }
  SUBCASE("and that arrive late") {
    steps(30);
    arrive(late);
  }
  SUBCASE("and that never arrive") {}
  steps(60);
  CHECK(minted() == before + 1);
  const bool taken = region.total() == 7;  // before the record of the minting
  CHECK((taken || region.total() == 5));
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 0);
}

TEST_CASE_FIXTURE(LateShop, "what goes on from seqs that others had first is left by a new actor") {
  const memory::OutboxBackup old = outbox.backup();
  const auto late = on_its_way(2);
  relay.reset();
  outbox.restore(old, false);
  start();
  steps(30);
  arrive(late);
  for (const std::int64_t amount : {4, 8, 16}) {
    sell(amount);
    steps(30);
  }
  REQUIRE(region.total() == 3);
  stop();
  start();
  steps(30);
  sell(32);
  steps(30);
  CHECK(region.total() == 35);
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 0);
  CHECK(status().former.size() == 1);
}

TEST_CASE_FIXTURE(LateShop,
                  "a relay that finds batches to publish looks at the changelog behind them") {
  on_its_way(2);
  const memory::OutboxBackup old = outbox.backup();
  const auto late = on_its_way(4);
  relay.reset();
  outbox.restore(old, false);
  broker.heal("relay");
  sell(8);
  start();
  REQUIRE(relay->step());
  REQUIRE(relay->leading());
  arrive(late);
  steps(60);
  CHECK(region.lost == 0);
  CHECK(status().unconfirmed == 0);
  CHECK(region.total() == 15);
}

}  // namespace tributary

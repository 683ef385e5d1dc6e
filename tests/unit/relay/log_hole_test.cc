/// Changelogs that begin late, or have holes: what counts as published, and what goes on.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/relay/shop.h"

using namespace tributary;

namespace {

/// A shop of two regions that were stopped at seq 10 and 12 while the relay published up to 18, one
/// piece each. The log has nothing before seq 13 any more.
struct LateShop : Shop {
  ShopReader other;
  std::map<std::uint64_t, memory::OutboxBackup> backups;  ///< by head
  std::map<std::uint64_t, memory::OutboxBackup> waiting;  ///< … by the seq of the row that waits
  ActorId before;

  LateShop() {
    start();
    for (std::uint64_t head = 1; head <= 18; ++head) {
      region_reads = head <= 10;
      sell(1);
      waiting.emplace(head, outbox.backup());
      steps(5);
      if (head <= 12) other.read(broker, kName);
      backups.emplace(head, outbox.backup());
    }
    stop();
    before = *status().actor;
    REQUIRE(region.progress.watermark.get(before) == Seq{10});
    REQUIRE(other.progress.watermark.get(before) == Seq{12});
  }
  static bool early(const ChangelogMessage& message) {
    return decode_batch(message.bytes)->last_seq < Seq{13};
  }
  static bool between(const ChangelogMessage& message) {
    return early(message) && decode_batch(message.bytes)->last_seq > Seq{10};
  }
  void trim() {
    const auto messages = broker.messages(kName);
    const auto kept = std::ranges::find_if_not(messages, early);
    broker.truncate(kName, static_cast<std::size_t>(messages.end() - kept));
  }
  void refill(bool (*without)(const ChangelogMessage&)) {
    const auto messages = broker.messages(kName);
    broker.delete_log(kName);
    REQUIRE(changelog->declare(kName));
    const auto writer = changelog->open_writer(kName);
    std::uint64_t tag = 0;
    for (const ChangelogMessage& message : messages) {
      if (!without(message)) REQUIRE((*writer)->publish(++tag, message.bytes));
    }
  }
  /// No seq was given twice, as far as the log tells.
  void check_seqs() const {
    std::map<std::pair<ActorId, Seq>, std::string> given;
    for (const ChangelogMessage& message : broker.messages(kName)) {
      const auto batch = decode_batch(message.bytes);
      if (batch->heartbeat()) continue;
      const auto [known, fresh] =
          given.try_emplace({batch->actor, batch->first_seq}, message.bytes);
      CHECK(known->second == message.bytes);
    }
  }
  [[nodiscard]] std::optional<Seq> final_seq() {
    for (const FormerActor& each : status().former) {
      if (each.actor == before) return each.final_seq;
    }
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE("what stands in a log that begins late was published, whoever can apply it") {
  bool refilled = false;
  SUBCASE("trimmed") {}
  SUBCASE("deleted and filled again") { refilled = true; }
  for (const std::uint64_t head : {15, 5}) {  // before the log's end, and before its beginning
    CAPTURE(head);
    LateShop shop;
    if (refilled) shop.refill(LateShop::early);
    else shop.trim();
    shop.outbox.restore(shop.backups.at(head), false);
    shop.sell(100);
    shop.relay_everything();
    CHECK(*shop.status().actor != shop.before);
    CHECK(shop.final_seq() == Seq{18});
    shop.check_seqs();
    shop.other.read(shop.broker, Shop::kName);
    CHECK(shop.other.lost == 0);
    const auto parked = *shop.outbox.open_store()->parked(0, 10);
    CHECK(parked.size() == (head < 12 ? 1 : 0));  // the log does not reach back to the backup
    CHECK(shop.other.total() == 18 + (parked.empty() ? 100 : 0));
    shop.region.read(shop.broker, Shop::kName);
    CHECK(shop.region.lost > 0);  // it is at a gap
  }
}

TEST_CASE("what stands behind a hole whose changes the database has was published") {
  LateShop shop;
  shop.refill(LateShop::between);
  shop.outbox.restore(shop.waiting.at(16), false);
  shop.relay_everything();
  CHECK(shop.final_seq() == Seq{18});
  CHECK(shop.status().depth == 0);
  CHECK(shop.status().parked == 0);
  shop.check_seqs();
  ShopReader other;  // of another log
  other.progress.watermark = shop.other.progress.watermark;
  other.read(shop.broker, Shop::kName);
  CHECK(other.lost == 0);
  CHECK(other.total() == 18);
}

TEST_CASE("rows that were published behind a hole are dropped from a copy of the database") {
  LateShop shop;
  shop.trim();
  shop.outbox.restore(shop.waiting.at(16), true);
  shop.relay_everything();
  CHECK(shop.final_seq() == Seq{18});
  CHECK(shop.status().depth == 0);
  CHECK(shop.status().parked == 0);
  shop.other.read(shop.broker, Shop::kName);
  CHECK(shop.other.lost == 0);
  CHECK(shop.other.total() == 18);
}

TEST_CASE("a number that stands behind a hole which nobody can close is not given again") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  const FormerActor last{*shop.status().actor, Seq{1}};
  // The broker refused seq 2 and took seq 3, and then the database went back.
  shop.publish({last.actor, Seq{3}});
  shop.region_reads = false;
  shop.sell(5);
  shop.sell(7);
  shop.relay_everything();
  CHECK(*shop.status().actor != last.actor);
  CHECK(shop.status().former == std::vector{last});
  std::size_t third = 0;
  for (const ChangelogMessage& message : shop.broker.messages(Shop::kName)) {
    const auto batch = decode_batch(message.bytes);
    third += batch->actor == last.actor && !batch->heartbeat() && batch->last_seq >= Seq{2};
  }
  CHECK(third == 1);
}

TEST_CASE("rows are in doubt when the log was trimmed to behind the backup") {
  Shop shop;
  shop.sell(1);
  shop.relay_everything();
  shop.sell(5);
  const auto backup = shop.outbox.backup();
  shop.relay_everything();
  shop.sell(10);
  shop.relay_everything();
  REQUIRE(shop.region.total() == 16);
  bool noticed = false;
  SUBCASE("noticed") { noticed = true; }
  SUBCASE("unnoticed") {}
  const auto messages = shop.broker.messages(Shop::kName);
  const auto kept = std::ranges::find_if(messages, [](const ChangelogMessage& message) {
    return decode_batch(message.bytes)->first_seq == Seq{3};
  });
  REQUIRE(kept != messages.end());
  shop.broker.truncate(Shop::kName, static_cast<std::size_t>(messages.end() - kept));
  shop.outbox.restore(backup, noticed);
  shop.relay_everything();
  const auto parked = *shop.outbox.open_store()->parked(0, 10);
  REQUIRE(parked.size() == 1);
  CHECK(parked[0].amount == 5);
  CHECK(parked[0].reason.starts_with("in doubt"));
  CHECK(shop.status().depth == 0);
  shop.sell(100);
  shop.relay_everything();
  CHECK(shop.region.total() == 116);
  CHECK(shop.region.lost == 0);
}

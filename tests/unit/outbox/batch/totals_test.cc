/// The relay's memory of running totals.
#include "outbox/batch/totals.h"

#include <array>
#include <limits>

#include <doctest/doctest.h>

#include <tributary/outbox/transaction.h>

#include "outbox/batch/sealing.h"
#include "tests/unit/outbox/batch/outbox_row.h"
#include "tests/unit/outbox/batch/sealing_origin.h"

namespace tributary {
namespace {

using namespace sealing_tests;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

/// The totals after an add that fits.
crdt::Totals added(TotalsCache& totals, std::string_view key, std::int64_t amount) {
  crdt::Totals after;
  REQUIRE(totals.add(key, "", amount, after));
  return after;
}

TEST_CASE("only counters' rows are asked for, each counter once, and not again when known") {
  TotalsCache totals;
  const std::array rows{counter_add("b", 1), counter_add("a", 1), counter_add("b", 2),
                        change_row("s", "set", "add", "x"),
                        change_row("u", "no such type", "add", {}, 1)};
  const auto asked = totals.unknown(rows);
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].key == "a");
  CHECK(asked[1].key == "b");
  totals.learn(asked, {{"a", "", {10, 3}}});
  CHECK(totals.unknown(rows).empty());
  CHECK(added(totals, "a", 1) == crdt::Totals{11, 3});
  CHECK(added(totals, "b", -4) == crdt::Totals{0, 4});
}

TEST_CASE(
    "a seal asks for the counters that it does not know, each once, and adds to their totals") {
  Origin origin;
  origin.rules.schema = &origin.stored;
  origin.rules.clock = kFarFuture;
  std::vector<std::string> asked;
  const LoadTotals load = [&](std::span<const TotalsKey> keys) {
    for (const TotalsKey& each : keys) asked.emplace_back(each.key);
    return std::vector<StoredTotals>{{"stock:a", "", {10, 3}}};
  };
  std::vector rows{counter_add("stock:b", 1), counter_add("stock:a", 1), counter_add("stock:b", 2),
                   element("add", "x"), change_row("buyers:2", "counter", "add", {}, 1)};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].id = rows[i].transaction = static_cast<std::int64_t>(i + 1);
  }
  const SealResult sealing = *seal(origin.head, rows, origin.rules, origin.totals, load);
  CHECK(sealing.parked.size() == 1);  // whose totals nobody needs
  CHECK(asked == std::vector<std::string>{"stock:a", "stock:b"});
  CHECK(added(origin.totals, "stock:a", 1) == crdt::Totals{12, 3});
  CHECK(added(origin.totals, "stock:b", -4) == crdt::Totals{3, 4});
  asked.clear();
  REQUIRE(seal(sealing.head, rows, origin.rules, origin.totals, load).has_value());
  CHECK(asked.empty());
}

TEST_CASE("a seal fails as asking for totals does, and adds nothing") {
  Origin origin;
  origin.rules.schema = &origin.stored;
  const LoadTotals load = [](std::span<const TotalsKey> /*keys*/) {
    return fail(ErrorKind::kTransient, "the database is away");
  };
  const std::array rows{counter_add("stock:a", 1)};
  const auto sealing = seal(origin.head, rows, origin.rules, origin.totals, load);
  REQUIRE_FALSE(sealing.has_value());
  CHECK(sealing.error().kind == ErrorKind::kTransient);
  CHECK(origin.totals.unsaved_count() == 0);
}

TEST_CASE("what was learned is stored already, what was added is not") {
  TotalsCache totals;
  const std::array asked{TotalsKey{"a", ""}};
  totals.learn(asked, {{"a", "", {10, 0}}});
  CHECK(totals.unsaved_count() == 0);
  CHECK(totals.unsaved().empty());
  static_cast<void>(added(totals, "a", 1));
  static_cast<void>(added(totals, "a", 1));
  REQUIRE(totals.unsaved_count() == 1);
  const auto unsaved = totals.unsaved();
  REQUIRE(unsaved.size() == 1);
  CHECK(unsaved[0].key == "a");
  CHECK(unsaved[0].totals == crdt::Totals{12, 0});
}

TEST_CASE("saving keeps the totals, and forgets all when there are too many") {
  TotalsCache totals;
  const std::array rows{counter_add("a", 1), counter_add("b", 1)};
  static_cast<void>(added(totals, "a", 1));
  static_cast<void>(added(totals, "b", 1));
  totals.saved(2);
  CHECK(totals.unsaved_count() == 0);
  CHECK(totals.unsaved().empty());
  CHECK(totals.unknown(rows).empty());
  totals.saved(1);
  CHECK(totals.unknown(rows).size() == 2);
}

TEST_CASE("raising takes the larger of each total and never goes back") {
  TotalsCache totals;
  totals.raise("a", "", {5, 1});
  totals.raise("a", "", {3, 4});
  REQUIRE(totals.unsaved().size() == 1);
  CHECK(totals.unsaved()[0].totals == crdt::Totals{5, 4});
}

TEST_CASE("an add that would overflow changes nothing") {
  TotalsCache totals;
  static_cast<void>(added(totals, "a", kMax));
  crdt::Totals after{1, 1};
  CHECK_FALSE(totals.add("a", "", 1, after));
  CHECK_FALSE(totals.add("a", "", std::numeric_limits<std::int64_t>::min(), after));
  CHECK(after == crdt::Totals{1, 1});
  CHECK(added(totals, "a", -kMax) == crdt::Totals{kMax, kMax});
}

TEST_CASE("counters close to overflow are told apart, increments and decrements alike") {
  TotalsCache totals;
  static_cast<void>(added(totals, "calm", kNearOverflow - 1));
  CHECK(totals.unsaved_near_overflow().empty());
  static_cast<void>(added(totals, "up", kNearOverflow));
  static_cast<void>(added(totals, "down", -kNearOverflow));
  CHECK(totals.unsaved_near_overflow().size() == 2);
  totals.saved(100);
  CHECK(totals.unsaved_near_overflow().empty());
}

TEST_CASE("fields of one key have totals of their own") {
  TotalsCache totals;
  totals.raise("map", "f", {1, 0});
  totals.raise("map", "g", {2, 0});
  const auto unsaved = totals.unsaved();
  REQUIRE(unsaved.size() == 2);
  for (const StoredTotals& each : unsaved) {
    CHECK(each.key == "map");
    CHECK(each.totals.increments == (each.field == "f" ? 1 : 2));
  }
}

TEST_CASE("totals rebuilt from the retained batches equal those that sealed them") {
  const StoredSchema schema{.schema = {.keyspaces = {{"*", "counter"}}, .limits = {}},
                            .operations = {}};
  SealRules rules;
  rules.schema = &schema;
  OriginHead head{ActorId{7}, OriginName{"shop-eu"}, Seq{}, Hlc{}};
  TotalsCache sealing_totals;
  std::vector<std::string> retained;
  for (std::int64_t i = 1; i <= 20; ++i) {
    const std::array rows{counter_add("a", i), counter_add("b", -i),
                          counter_add(i % 2 == 0 ? "c" : "d", 7)};
    const SealResult sealing = seal(head, rows, rules, sealing_totals);
    head = sealing.head;
    retained.push_back(sealing.batches.at(0).bytes);
  }
  TotalsCache rebuilt;
  for (const std::string& bytes : retained) relearn(decode_batch(bytes).value(), rebuilt);
  for (const std::string_view key : {"a", "b", "c", "d"}) {
    CHECK(added(rebuilt, key, 1) == added(sealing_totals, key, 1));
  }
}

TEST_CASE("rebuilding passes over deltas of types this program does not know, and bad bytes") {
  TotalsCache totals;
  const Batch batch{.actor = ActorId{7},
                    .origin = OriginName{"shop-eu"},
                    .first_seq = Seq{1},
                    .last_seq = Seq{2},
                    .hlc = Hlc{1},
                    .deltas = {{"a", "from the future", Seq{1}, "body"},
                               {"b", "counter", Seq{2}, "not a counter's delta"}}};
  relearn(batch, totals);
  CHECK(totals.unsaved_count() == 0);
}

}  // namespace
}  // namespace tributary

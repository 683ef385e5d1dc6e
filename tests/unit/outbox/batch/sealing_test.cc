/// The rules of sealing: which rows become which batch.
#include "tests/unit/outbox/batch/sealing_origin.h"

namespace tributary {
namespace {

using namespace sealing_tests;

TEST_CASE_FIXTURE(Origin, "seqs are contiguous from batch to batch and start at 1") {
  const Batch first = batch({counter_add("stock:1", 1), counter_add("stock:2", 1), set("9")});
  CHECK(first.first_seq == Seq{1});
  CHECK(first.last_seq == Seq{3});
  const Batch second = batch({counter_add("stock:1", 1)});
  CHECK(second.first_seq == Seq{4});
  CHECK(second.last_seq == Seq{4});
  CHECK(head.seq == Seq{4});
}

TEST_CASE_FIXTURE(Origin, "a batch says whose it is, and the envelope says the same") {
  const SealResult sealing = seals({counter_add("stock:1", 1)});
  const auto inside = decode_batch(sealing.batches.at(0).bytes);
  CHECK(inside->actor == ActorId{7});
  CHECK(inside->origin == OriginName{"shop-eu"});
  CHECK(sealing.batches[0].actor == inside->actor);
  CHECK(sealing.batches[0].first_seq == inside->first_seq);
  CHECK(sealing.batches[0].last_seq == inside->last_seq);
}

TEST_CASE_FIXTURE(Origin, "timestamps grow with seq, even when the writer's clock goes back") {
  CHECK(batch({set("a", 500)}).hlc == Hlc{500});
  CHECK(batch({set("b", 100)}).hlc == Hlc{501});
  CHECK(batch({set("c", 501)}).hlc == Hlc{502});
  CHECK(batch({set("d", 600)}).hlc == Hlc{600});
}

TEST_CASE_FIXTURE(Origin, "a clock too far ahead is clamped, unless order forbids") {
  CHECK(batch({set("a", 9000)}, Hlc{1000}).hlc == Hlc{1000});
  CHECK(batch({set("b", 9000)}, Hlc{1000}).hlc == Hlc{1001});
}

TEST_CASE_FIXTURE(Origin, "changes to one key are joined into one delta, wherever they stand") {
  const Batch joined =
      batch({counter_add("stock:1", 5), counter_add("stock:2", 1), counter_add("stock:1", -2)});
  REQUIRE(joined.deltas.size() == 2);
  CHECK(joined.deltas[0].key == "stock:1");
  CHECK(joined.deltas[0].last_seq == Seq{3});
  CHECK(totals_in(joined.deltas[0]).front().totals == crdt::Totals{5, 2});
  CHECK(joined.deltas[1].key == "stock:2");
  CHECK(joined.deltas[1].last_seq == Seq{2});
}

TEST_CASE_FIXTURE(Origin, "a counter's totals run on from batch to batch") {
  static_cast<void>(batch({counter_add("stock:1", 5)}));
  const Batch next = batch({counter_add("stock:1", 2)});
  CHECK(totals_in(next.deltas[0]).front().totals == crdt::Totals{7, 0});
}

TEST_CASE_FIXTURE(Origin, "equal contexts are stored once, without the actor's own entry") {
  VersionVector context;
  context.raise(ActorId{7}, Seq{1});
  context.raise(ActorId{8}, Seq{4});
  rules.known = context;
  const std::string bytes = context.bytes();
  const Batch sealed = batch({element("remove", "x", bytes), element("remove", "y", bytes)});
  REQUIRE(sealed.contexts.size() == 1);
  CHECK(sealed.contexts[0].get(ActorId{8}) == Seq{4});
  CHECK(sealed.contexts[0].get(ActorId{7}) == Seq{});
}

TEST_CASE_FIXTURE(Origin, "a batch names the rows it consumed, as runs of ids by transaction") {
  const OutboxRow second = counter_add("stock:2", 1);
  std::vector<OutboxRow> rows = in_transaction(
      1, {counter_add("stock:1", 1), counter_add("stock:1", 1), second, counter_add("stock:1", 1)});
  rows[2].transaction = 2;
  for (OutboxRow& row : rows) row.tag = 5;
  const Batch sealed = batch(rows);
  REQUIRE(sealed.rows.size() == 3);
  CHECK(sealed.rows[0].first_id == 1);
  CHECK(sealed.rows[0].last_id == 2);
  CHECK(sealed.rows[1].transaction == 2);
  CHECK(sealed.rows[2].first_id == 4);
}

TEST_CASE_FIXTURE(Origin, "every row is told by its own tag, in runs where they have one") {
  std::vector<OutboxRow> rows = in_transaction(1, std::vector(6, counter_add("stock:1", 1)));
  const std::uint64_t tags[] = {7, 8, 8, 8, 7, 9};
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].tag = tags[i];
  const Batch sealed = batch(rows);
  std::vector<std::uint64_t> told;
  for (const ConsumedRows& each : sealed.rows) {
    for (std::int64_t id = each.first_id; id <= each.last_id; ++id) told.push_back(each.tag);
  }
  CHECK(told == std::vector(std::begin(tags), std::end(tags)));
  CHECK(sealed.rows.size() == 4);
}

TEST_CASE_FIXTURE(Origin, "a row that can never be applied is parked and takes no seq") {
  OutboxRow bad = counter_add("stock:1", 1);
  std::string reason;
  SUBCASE("a type that does not exist") { bad.type = "conuter", reason = "by its keyspace"; }
  SUBCASE("the wrong type for its keyspace") { bad.type = "set", reason = "by its keyspace"; }
  SUBCASE("an operation the type does not have") {
    bad.operation = "subtract", reason = "there is no operation \"subtract\"";
  }
  SUBCASE("a key without a keyspace") { bad.key = "basket:1", reason = "no keyspace matches"; }
  SUBCASE("a keyspace whose type does not exist") {
    bad.key = "typo:1", reason = "is a conuter by its keyspace";
  }
  SUBCASE("an empty key") {
    stored.schema.keyspaces.push_back({"*", "counter"});
    bad.key = "", reason = "the key is empty";
  }
  SUBCASE("a context that does not decode") {
    bad = element("remove", "x", "\x05"), reason = "context does not decode";
  }
  SUBCASE("an amount below what a total can hold") {
    bad.amount = std::numeric_limits<std::int64_t>::min(), reason = "would overflow";
  }
  SUBCASE("a value longer than the limit, past all triggers") {
    bad = set(std::string_view(kLong)), reason = "the limit is 1048576";
  }
  SUBCASE("operands that the operation does not take") {
    SUBCASE("a field") { bad.field = "f", reason = "takes no field"; }
    SUBCASE("a value") { bad.value = "v", reason = "takes no value"; }
    SUBCASE("an amount") { bad = element("add", ""), bad.amount = 7, reason = "takes no amount"; }
  }
  SUBCASE("a time that is none") {
    bad.hlc = Hlc{~std::uint64_t{0} - 5}, reason = "beyond the year 2100";
  }
  SUBCASE("a context of absurd size") {
    bad = element("remove", "x", kLong), reason = "its context has";
  }
  const SealResult sealing = seals({counter_add("stock:1", 1), bad, counter_add("stock:1", 1)});
  REQUIRE(sealing.parked.size() == 1);
  CHECK(sealing.parked[0].id == 2);
  CAPTURE(sealing.parked[0].reason);
  CHECK(sealing.parked[0].reason.find(reason) != std::string::npos);
  CHECK(sealing.batches[0].last_seq == Seq{2});
  CHECK(sealing.head.seq == Seq{2});
}

TEST_CASE_FIXTURE(Origin, "an overflowing add is parked, and the counter goes on from before it") {
  const SealResult sealing =
      seals({counter_add("stock:1", kMax), counter_add("stock:1", 1), counter_add("stock:1", -1)});
  REQUIRE(sealing.parked.size() == 1);
  CHECK(sealing.parked[0].id == 2);
  const auto sealed = decode_batch(sealing.batches.at(0).bytes);
  CHECK(totals_in(sealed->deltas[0]).front().totals == crdt::Totals{kMax, 1});
}

TEST_CASE_FIXTURE(Origin, "when every row is parked there is no batch and the head stays") {
  const SealResult sealing = seals({counter_add("nowhere:1", 1), counter_add("nowhere:2", 1)});
  CHECK(sealing.batches.empty());
  CHECK(sealing.parked.size() == 2);
  CHECK(sealing.head.seq == Seq{});
}

TEST_CASE_FIXTURE(Origin, "a bad row takes its whole transaction with it, and nothing else") {
  std::vector<OutboxRow> rows =
      in_transaction(5, {counter_add("stock:1", 1), counter_add("nowhere:1", 1), set("a")});
  rows.push_back(counter_add("stock:1", 10));
  const SealResult sealing = seals(rows);
  CHECK(sealing.parked.size() == 3);
  const Batch sealed = only(sealing);
  REQUIRE(sealed.deltas.size() == 1);
  CHECK(totals_in(sealed.deltas[0]).front().totals == crdt::Totals{10, 0});
}

TEST_CASE_FIXTURE(Origin, "a transaction that overflows a counter in its midst counts nowhere") {
  std::vector<OutboxRow> rows{counter_add("stock:1", 1)};
  for (const OutboxRow& row :
       in_transaction(5, {counter_add("stock:2", 7), counter_add("stock:1", kMax)})) {
    rows.push_back(row);
  }
  rows.push_back(counter_add("stock:2", 1));
  const SealResult sealing = seals(rows);
  CHECK(sealing.parked.size() == 2);
  const Batch sealed = only(sealing);
  REQUIRE(sealed.deltas.size() == 2);
  CHECK(totals_in(sealed.deltas[1]).front().totals.increments == 1);
}

TEST_CASE_FIXTURE(Origin,
                  "what only the database's tables know waits, and so does what follows it") {
  std::vector<OutboxRow> rows =
      in_transaction(1, {counter_add("stock:1", 1), change_row("graph:1", "graph", "link", "a")});
  rows.push_back(counter_add("stock:1", 10));  // behind a key of the first
  rows.push_back(counter_add("stock:2", 100));
  rows.push_back(element("shuffle", ""));
  const SealResult sealing = seals(rows);
  CHECK(sealing.left == std::vector<std::int64_t>{1, 2, 3, 5});
  CHECK(sealing.left_because.find("upgrade the relay") != std::string::npos);
  CHECK(sealing.parked.empty());
  CHECK(keys_in(sealing) == std::vector<std::string>{"stock:2"});
}

TEST_CASE_FIXTURE(Origin, "a seal that is not committed leaves the totals as they were") {
  static_cast<void>(seals({counter_add("stock:1", 5)}));
  const std::vector<OutboxRow> rows{counter_add("stock:1", 7), counter_add("nowhere:1", 1)};
  rules.clock = kFarFuture;
  rules.schema = &stored;
  const SealResult dropped = seal(head, rows, rules, totals);
  unseal(dropped, rows, totals);
  CHECK(totals_in(batch({counter_add("stock:1", 1)}).deltas[0]).front().totals ==
        crdt::Totals{6, 0});
}

TEST_CASE("the same rows and head give the same bytes") {
  Origin one;
  Origin other;
  const std::vector<OutboxRow> rows{counter_add("stock:1", 1), set("a", 5), element("add", "x"),
                                    element("clear", ""), counter_add("stock:2", 3)};
  CHECK(one.seals(rows).batches.at(0).bytes == other.seals(rows).batches.at(0).bytes);
}

TEST_CASE_FIXTURE(Origin, "a batch tells what precedes it: none can stand in another's place") {
  head.history = {77};
  head.former_history = {78};
  rules.former = {{ActorId{3}, Seq{9}}};
  rules.batch_bytes = 1;  // one a transaction
  const auto one = in_transaction(1, {counter_add("stock:1", 1)});
  auto rows = in_transaction(2, {counter_add("stock:1", 1)});
  rows.insert(rows.begin(), one.begin(), one.end());
  const SealResult sealing = seals(rows);
  REQUIRE(sealing.batches.size() == 2);
  const Batch first = *decode_batch(sealing.batches[0].bytes);
  const Batch second = *decode_batch(sealing.batches[1].bytes);
  CHECK(first.before == HistoryDigest{77});
  CHECK(first.former_history == HistoryDigest{78});
  CHECK(first.history == history_of(sealing.batches[0].bytes));
  CHECK(second.before == first.history);
  CHECK(sealing.head.history == second.history);
  const Batch beat = *decode_batch(heartbeat(sealing.head, rules.former, {}));
  CHECK(beat.before == second.history);
  CHECK(beat.history == second.history);
  CHECK(beat.former_history == HistoryDigest{78});
  const SealedBatch told = seal_discarded(sealing.head, rules.former, {{1, 1, 1, 7}});
  CHECK(decode_batch(told.bytes)->before == second.history);
}

TEST_CASE("a heartbeat is an empty batch that tells the head and the time") {
  const OriginHead head{ActorId{7}, OriginName{"shop-eu"}, Seq{41}, Hlc{100}};
  const auto beat = decode_batch(heartbeat(head, {}, Hlc{200}));
  REQUIRE(beat.has_value());
  CHECK(beat->heartbeat());
  CHECK(beat->last_seq == Seq{41});
  CHECK(beat->first_seq == Seq{42});
  CHECK(beat->hlc == Hlc{200});
  CHECK(decode_batch(heartbeat(head, {}, Hlc{50}))->hlc == Hlc{100});
}

TEST_CASE("the last actor that published anything is named, however many have followed it") {
  for (const std::size_t empty : {0UL, 1UL, kMostFormer - 3, kMostFormer - 2, 3 * kMostFormer}) {
    CAPTURE(empty);
    std::vector<FormerActor> former{{ActorId{1}, Seq{9}}, {ActorId{2}, Seq{5}}};
    for (std::size_t i = 0; i < empty; ++i) former.push_back({ActorId{100 + i}, Seq{}});
    const auto beat = decode_batch(heartbeat({ActorId{99}, {"shop-eu"}, Seq{}, Hlc{}}, former, {}));
    REQUIRE(beat.has_value());
    CHECK(beat->former().front() == former.back());
    CHECK(names(beat->former(), ActorId{2}));
    CHECK(beat->former().size() == std::min(empty + 2, kMostFormer));
  }
}

TEST_CASE("some of those before the last actor that published anything are named, too") {
  std::vector<FormerActor> former;
  for (std::size_t i = 1; i <= 20; ++i) former.push_back({ActorId{i}, Seq{i}});
  const auto beat = decode_batch(heartbeat({ActorId{99}, {"shop-eu"}, Seq{}, Hlc{}}, former, {}));
  REQUIRE(beat.has_value());
  CHECK(beat->former().size() == 9);
  CHECK(beat->former().front() == former.back());
  CHECK(beat->former().back() == FormerActor{ActorId{12}, Seq{12}});
}

TEST_CASE("a batch of discards takes one seq and tells of its rows") {
  const OriginHead head{ActorId{7}, OriginName{"shop-eu"}, Seq{41}, Hlc{100}};
  const auto sealed = seal_discarded(head, {}, {{3, 10, 500, 7}, {4, 20, 20, 8}});
  CHECK(sealed.first_seq == Seq{42});
  CHECK(sealed.last_seq == Seq{42});
  const auto batch = decode_batch(sealed.bytes);
  REQUIRE(batch.has_value());
  CHECK(!batch->heartbeat());
  CHECK(batch->deltas.empty());
  CHECK(batch->rows.size() == 2);
}

TEST_CASE("the first heartbeat of an origin that wrote nothing is legal") {
  CHECK(decode_batch(heartbeat(kFresh, {}, Hlc{1})).value().heartbeat());
}

}  // namespace
}  // namespace tributary

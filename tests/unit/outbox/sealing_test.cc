/// The rules of sealing: which rows become which batch.
#include <limits>

#include <doctest/doctest.h>

#include <tributary/outbox/sealing.h>
#include <tributary/tests/unit/outbox/outbox_row.h>

namespace tributary {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
const std::string kLong(std::size_t{2} << 20, 'x');
constexpr Hlc kFarFuture{std::uint64_t{1} << 62};
const OriginHead kFresh{ActorId{7}, OriginName{"shop-eu"}, Seq{}, Hlc{}};

StoredSchema schema() {
  StoredSchema stored{.schema = {.keyspaces = {{"stock:*", "counter"},
                                               {"price:*", "register"},
                                               {"buyers:*", "set"},
                                               {"typo:*", "conuter"},
                                               {"graph:*", "graph"}},
                                 .limits = {}},
                      .operations = {{"graph", "link"}, {"set", "shuffle"}}};
  for (const crdt::Type* type : crdt::types()) {
    for (const crdt::Operation& each : type->operations) {
      stored.operations.emplace_back(type->name, each.name);
    }
  }
  return stored;
}

OutboxRow set(std::string_view value, std::uint64_t hlc = 0) {
  OutboxRow row = change_row("price:1", "register", "set", value);
  row.hlc = Hlc{hlc};
  return row;
}

OutboxRow element(std::string_view operation, std::string_view value,
                  std::string_view context = {}) {
  OutboxRow row = change_row("buyers:1", "set", operation, value);
  row.context = context;
  return row;
}

/// One origin's relay across seals. Rows get ids 1, 2, 3 … and, unless they
/// have one, a transaction each.
struct Origin {
  Sealing seals(std::vector<OutboxRow> rows, Hlc latest = kFarFuture) {
    for (OutboxRow& row : rows) {
      row.id = ++last_id;
      if (row.transaction == 0) row.transaction = ++last_transaction;
    }
    rules.clock = latest;
    rules.schema = &stored;
    Sealing sealing = seal(head, rows, rules, totals);
    head = sealing.head;
    for (const SealedBatch& batch : sealing.batches) CHECK(batch.bytes.size() <= kMaxBatchBytes);
    return sealing;
  }
  Batch batch(std::vector<OutboxRow> rows, Hlc latest = kFarFuture) {
    return only(seals(std::move(rows), latest));
  }
  static Batch only(const Sealing& sealing) {
    REQUIRE(sealing.batches.size() == 1);
    auto decoded = decode_batch(sealing.batches[0].bytes);
    REQUIRE(decoded.has_value());
    return std::move(*decoded);
  }

  StoredSchema stored = schema();
  SealRules rules;
  OriginHead head = kFresh;
  TotalsCache totals;
  std::int64_t last_id = 0;
  std::int64_t last_transaction = 1000;
};

std::vector<OutboxRow> in_transaction(std::int64_t number, std::vector<OutboxRow> rows) {
  for (OutboxRow& row : rows) row.transaction = number;
  return rows;
}

std::vector<std::string> keys_in(const Sealing& sealing) {
  std::vector<std::string> keys;
  for (const SealedBatch& sealed : sealing.batches) {
    const auto batch = decode_batch(sealed.bytes);
    for (const Delta& delta : batch->deltas) keys.push_back(delta.key);
  }
  return keys;
}

std::vector<crdt::FieldTotals> totals_in(const Delta& delta) {
  return crdt::find_type("counter")->totals(delta.body);
}

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
  const Sealing sealing = seals({counter_add("stock:1", 1)});
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
  const Batch sealed = batch(rows);
  REQUIRE(sealed.rows.size() == 3);
  CHECK(sealed.rows[0].first_id == 1);
  CHECK(sealed.rows[0].last_id == 2);
  CHECK(sealed.rows[1].transaction == 2);
  CHECK(sealed.rows[2].first_id == 4);
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
  const Sealing sealing = seals({counter_add("stock:1", 1), bad, counter_add("stock:1", 1)});
  REQUIRE(sealing.parked.size() == 1);
  CHECK(sealing.parked[0].id == 2);
  CAPTURE(sealing.parked[0].reason);
  CHECK(sealing.parked[0].reason.find(reason) != std::string::npos);
  CHECK(sealing.batches[0].last_seq == Seq{2});
  CHECK(sealing.head.seq == Seq{2});
}

TEST_CASE_FIXTURE(Origin, "an overflowing add is parked, and the counter goes on from before it") {
  const Sealing sealing =
      seals({counter_add("stock:1", kMax), counter_add("stock:1", 1), counter_add("stock:1", -1)});
  REQUIRE(sealing.parked.size() == 1);
  CHECK(sealing.parked[0].id == 2);
  const auto sealed = decode_batch(sealing.batches.at(0).bytes);
  CHECK(totals_in(sealed->deltas[0]).front().totals == crdt::Totals{kMax, 1});
}

TEST_CASE_FIXTURE(Origin, "when every row is parked there is no batch and the head stays") {
  const Sealing sealing = seals({counter_add("nowhere:1", 1), counter_add("nowhere:2", 1)});
  CHECK(sealing.batches.empty());
  CHECK(sealing.parked.size() == 2);
  CHECK(sealing.head.seq == Seq{});
}

TEST_CASE_FIXTURE(Origin, "a bad row takes its whole transaction with it, and nothing else") {
  std::vector<OutboxRow> rows =
      in_transaction(5, {counter_add("stock:1", 1), counter_add("nowhere:1", 1), set("a")});
  rows.push_back(counter_add("stock:1", 10));
  const Sealing sealing = seals(rows);
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
  const Sealing sealing = seals(rows);
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
  const Sealing sealing = seals(rows);
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
  const Sealing dropped = seal(head, rows, rules, totals);
  unseal(dropped, rows, totals);
  CHECK(totals_in(batch({counter_add("stock:1", 1)}).deltas[0]).front().totals ==
        crdt::Totals{6, 0});
}

// ---- size ------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(Origin, "batches are cut by encoded size, between transactions") {
  rules.batch_bytes = 1000;
  std::vector<OutboxRow> rows;
  const std::string value(100, 'v');
  for (std::int64_t tx = 1; tx <= 30; ++tx) {
    for (const OutboxRow& row : in_transaction(tx, {set(value), element("add", value)})) {
      rows.push_back(row);
    }
  }
  const Sealing sealing = seals(rows);
  CHECK(sealing.batches.size() > 5);
  CHECK(sealing.pieces == 0);
  Seq next{1};
  for (const SealedBatch& sealed : sealing.batches) {
    CHECK(sealed.first_seq == next);
    CHECK(sealed.last_seq.value % 2 == 0);  // both changes of a transaction
    next = sealed.last_seq.next();
  }
  CHECK(sealing.head.seq == Seq{60});
}

TEST_CASE_FIXTURE(Origin, "a transaction too large for one batch is sealed in pieces") {
  std::vector<OutboxRow> rows;
  const std::string value(100'000, 'v');
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) keys.push_back("price:" + std::to_string(i));
  for (const std::string& key : keys) rows.push_back(change_row(key, "register", "set", value));
  const Sealing sealing = seals(in_transaction(1, rows));
  CHECK(sealing.batches.size() >= 4);
  CHECK(sealing.pieces == sealing.batches.size() - 1);
  CHECK(sealing.head.seq == Seq{300});
  CHECK(keys_in(sealing).size() == 300);
}

TEST_CASE_FIXTURE(Origin, "no rows that pass the checks make a batch above the limit") {
  std::vector<std::string> texts;  // rows point into it
  std::vector<OutboxRow> rows;
  SUBCASE("each remove with a context of its own, of many actors") {
    VersionVector context;
    for (std::uint64_t actor = 1; actor <= 800; ++actor) {
      context.raise(ActorId{actor * 0x9e3779b97f4a7c15U}, Seq{1'000'000});
    }
    for (std::uint64_t i = 0; i < 16'384; ++i) {
      context.raise(ActorId{0x9e3779b97f4a7c15U}, Seq{1'000'000 + i});
      texts.push_back(context.bytes());
    }
    for (const std::string& text : texts) rows.push_back(element("remove", "e", text));
  }
  SUBCASE("the largest values and keys, one transaction") {
    for (int i = 0; i < 40; ++i)
      texts.push_back("price:" + std::string(1000, 'k') + std::to_string(i));
    const std::string_view value = std::string_view(kLong).substr(0, std::size_t{1} << 20);
    for (const std::string& text : texts) {
      rows.push_back(change_row(text, "register", "set", value));
      rows.back().transaction = 1;
    }
  }
  SUBCASE("a hundred thousand short changes") {
    for (int i = 0; i < 100'000; ++i) texts.push_back("stock:" + std::to_string(i));
    for (const std::string& text : texts) {
      rows.push_back(counter_add(text, 1));
      rows.back().transaction = 1;
    }
  }
  const std::size_t count = rows.size();
  const Sealing sealing = seals(std::move(rows));  // checks each batch's size
  CHECK(sealing.parked.empty());
  CHECK(sealing.head.seq == Seq{count});
  for (const SealedBatch& sealed : sealing.batches) CHECK(decode_batch(sealed.bytes).has_value());
}

// ---- contexts --------------------------------------------------------------------------------

TEST_CASE_FIXTURE(Origin, "a writer has seen what the origin's former actors wrote") {
  rules.former = {{ActorId{3}, Seq{9}}};
  const Batch sealed = batch({element("remove", "x", VersionVector{}.bytes())});
  CHECK(sealed.contexts.at(0).get(ActorId{3}) == Seq{9});
  CHECK(sealed.predecessor == FormerActor{ActorId{3}, Seq{9}});
}

TEST_CASE_FIXTURE(Origin, "a context that the writer gave counts as given, up to what is known") {
  rules.former = {{ActorId{3}, Seq{9}}};
  rules.applied.raise(ActorId{8}, Seq{4});
  VersionVector context;
  context.raise(ActorId{3}, Seq{5});
  context.raise(ActorId{8}, Seq{std::uint64_t{1} << 62});
  context.raise(ActorId{9}, Seq{1});
  const std::string bytes = context.bytes();
  OutboxRow row = element("remove", "x", bytes);
  row.exact = true;
  const Sealing sealing = seals({row});
  const Batch sealed = only(sealing);
  CHECK(sealed.contexts.at(0).get(ActorId{3}) == Seq{5});
  CHECK(sealed.contexts.at(0).get(ActorId{8}) == Seq{4});
  CHECK(sealed.contexts.at(0).get(ActorId{9}) == Seq{});
  CHECK(sealing.capped == 1);
}

TEST_CASE_FIXTURE(Origin, "what is parked for a key was not seen by a writer of that key") {
  rules.lowered["buyers:1"] = {{ActorId{8}, Seq{2}}, {ActorId{9}, Seq{}}};
  VersionVector context;
  context.raise(ActorId{8}, Seq{4});
  context.raise(ActorId{9}, Seq{4});
  const std::string bytes = context.bytes();
  OutboxRow other = element("remove", "x", bytes);
  other.key = "buyers:2";
  const Batch sealed = batch({element("remove", "x", bytes), other});
  REQUIRE(sealed.contexts.size() == 2);
  CHECK(sealed.contexts[0].get(ActorId{8}) == Seq{2});
  CHECK(sealed.contexts[0].get(ActorId{9}) == Seq{});
  CHECK(sealed.contexts[1].get(ActorId{8}) == Seq{4});
}

TEST_CASE_FIXTURE(Origin, "a timestamp is never clamped below what the writers had seen") {
  rules.seen = Hlc{5000};
  CHECK(batch({set("a", 5001)}, Hlc{1000}).hlc == Hlc{5001});
  CHECK(batch({set("b", 9000)}, Hlc{1000}).hlc == Hlc{5002});
}

TEST_CASE("the same rows and head give the same bytes") {
  Origin one;
  Origin other;
  const std::vector<OutboxRow> rows{counter_add("stock:1", 1), set("a", 5), element("add", "x"),
                                    element("clear", ""), counter_add("stock:2", 3)};
  CHECK(one.seals(rows).batches.at(0).bytes == other.seals(rows).batches.at(0).bytes);
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

TEST_CASE("the first heartbeat of an origin that wrote nothing is legal") {
  CHECK(decode_batch(heartbeat(kFresh, {}, Hlc{1})).value().heartbeat());
}

}  // namespace
}  // namespace tributary

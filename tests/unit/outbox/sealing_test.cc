/// The rules of sealing: which rows become which batch.
#include <limits>

#include <doctest/doctest.h>

#include <tributary/outbox/sealing.h>
#include <tributary/tests/unit/outbox/outbox_row.h>

namespace tributary {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr Hlc kFarFuture{std::uint64_t{1} << 62};
const OriginHead kFresh{ActorId{7}, OriginName{"shop-eu"}, Seq{}, Hlc{}};

Schema schema() {
  return {.keyspaces = {{"stock:*", "counter"},
                        {"price:*", "register"},
                        {"buyers:*", "set"},
                        {"typo:*", "conuter"}},
          .limits = {}};
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

/// One origin's relay across seals. Rows get ids 1, 2, 3 … and the transaction 1.
struct Origin {
  Sealing seals(std::vector<OutboxRow> rows, Hlc latest = kFarFuture) {
    for (OutboxRow& row : rows) {
      row.id = ++last_id;
      if (row.transaction == 0) row.transaction = 1;
    }
    Sealing sealing = seal(head, rows, latest, keyspaces, totals);
    head = sealing.head;
    return sealing;
  }
  Batch batch(std::vector<OutboxRow> rows, Hlc latest = kFarFuture) {
    const Sealing sealing = seals(std::move(rows), latest);
    REQUIRE(sealing.batch.has_value());
    auto decoded = decode_batch(sealing.batch->bytes);
    REQUIRE(decoded.has_value());
    return std::move(*decoded);
  }

  Schema keyspaces = schema();
  OriginHead head = kFresh;
  TotalsCache totals;
  std::int64_t last_id = 0;
};

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
  const auto inside = decode_batch(sealing.batch->bytes);
  CHECK(inside->actor == ActorId{7});
  CHECK(inside->origin == OriginName{"shop-eu"});
  CHECK(sealing.batch->actor == inside->actor);
  CHECK(sealing.batch->first_seq == inside->first_seq);
  CHECK(sealing.batch->last_seq == inside->last_seq);
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
  OutboxRow second = counter_add("stock:2", 1);
  second.transaction = 2;
  const Batch sealed = batch(
      {counter_add("stock:1", 1), counter_add("stock:1", 1), second, counter_add("stock:1", 1)});
  REQUIRE(sealed.rows.size() == 3);
  CHECK(sealed.rows[0].first_id == 1);
  CHECK(sealed.rows[0].last_id == 2);
  CHECK(sealed.rows[1].transaction == 2);
  CHECK(sealed.rows[2].first_id == 4);
}

TEST_CASE_FIXTURE(Origin, "a row that can never be applied is parked and takes no seq") {
  OutboxRow bad = counter_add("stock:1", 1);
  std::string reason;
  SUBCASE("a type that does not exist") { bad.type = "conuter", reason = "there is no type"; }
  SUBCASE("the wrong type for its keyspace") { bad.type = "set", reason = "by its keyspace"; }
  SUBCASE("an operation the type does not have") {
    bad.operation = "subtract", reason = "no operation \"subtract\"";
  }
  SUBCASE("a key without a keyspace") { bad.key = "basket:1", reason = "no keyspace matches"; }
  SUBCASE("a keyspace whose type does not exist") {
    bad.key = "typo:1", reason = "which does not exist";
  }
  SUBCASE("an empty key") {
    keyspaces.keyspaces.push_back({"*", "counter"});
    bad.key = "", reason = "the key is empty";
  }
  SUBCASE("a context that does not decode") {
    bad = element("remove", "x", "\x05"), reason = "context does not decode";
  }
  SUBCASE("an amount below what a total can hold") {
    bad.amount = std::numeric_limits<std::int64_t>::min(), reason = "would overflow";
  }
  const Sealing sealing = seals({counter_add("stock:1", 1), bad, counter_add("stock:1", 1)});
  REQUIRE(sealing.parked.size() == 1);
  CHECK(sealing.parked[0].id == 2);
  CAPTURE(sealing.parked[0].reason);
  CHECK(sealing.parked[0].reason.find(reason) != std::string::npos);
  CHECK(sealing.batch->last_seq == Seq{2});
  CHECK(sealing.head.seq == Seq{2});
}

TEST_CASE_FIXTURE(Origin, "an overflowing add is parked, and the counter goes on from before it") {
  const Sealing sealing =
      seals({counter_add("stock:1", kMax), counter_add("stock:1", 1), counter_add("stock:1", -1)});
  REQUIRE(sealing.parked.size() == 1);
  CHECK(sealing.parked[0].id == 2);
  const auto sealed = decode_batch(sealing.batch->bytes);
  CHECK(totals_in(sealed->deltas[0]).front().totals == crdt::Totals{kMax, 1});
}

TEST_CASE_FIXTURE(Origin, "when every row is parked there is no batch and the head stays") {
  const Sealing sealing = seals({counter_add("nowhere:1", 1), counter_add("nowhere:2", 1)});
  CHECK_FALSE(sealing.batch.has_value());
  CHECK(sealing.parked.size() == 2);
  CHECK(sealing.head.seq == Seq{});
}

TEST_CASE("the same rows and head give the same bytes") {
  Origin one;
  Origin other;
  const std::vector<OutboxRow> rows{counter_add("stock:1", 1), set("a", 5), element("add", "x"),
                                    element("clear", ""), counter_add("stock:2", 3)};
  CHECK(one.seals(rows).batch->bytes == other.seals(rows).batch->bytes);
}

TEST_CASE("a heartbeat is an empty batch that tells the head and the time") {
  const OriginHead head{ActorId{7}, OriginName{"shop-eu"}, Seq{41}, Hlc{100}};
  const auto beat = decode_batch(heartbeat(head, Hlc{200}));
  REQUIRE(beat.has_value());
  CHECK(beat->heartbeat());
  CHECK(beat->last_seq == Seq{41});
  CHECK(beat->first_seq == Seq{42});
  CHECK(beat->hlc == Hlc{200});
  CHECK(decode_batch(heartbeat(head, Hlc{50}))->hlc == Hlc{100});
}

TEST_CASE("the first heartbeat of an origin that wrote nothing is legal") {
  CHECK(decode_batch(heartbeat(kFresh, Hlc{1})).value().heartbeat());
}

}  // namespace
}  // namespace tributary

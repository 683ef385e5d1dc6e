/// Telling rows apart in a database that was put back to an earlier state.
#include <algorithm>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>

#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/shell_sqlite.h"

namespace tributary::outbox_suite {
namespace {

/// The rows as a batch names them, each by itself.
std::vector<ConsumedRows> consumed_by(std::span<const OutboxRow> rows) {
  std::vector<ConsumedRows> consumed;
  for (const OutboxRow& row : rows) {
    consumed.push_back({row.transaction, row.first_id(), row.first_id(), row.tag});
  }
  return consumed;
}

/// As a batch names those that have one tag.
std::vector<ConsumedRows> in_runs(std::span<const ConsumedRows> rows) {
  std::vector<ConsumedRows> runs;
  for (const ConsumedRows& each : rows) {
    const bool same =
        !runs.empty() && runs.back().transaction == each.transaction && runs.back().tag == each.tag;
    if (same) runs.back().last_id = each.last_id;
    else runs.push_back(each);
  }
  return runs;
}

/// Takes all rows and parks those of which `which` says so; what a batch of them all would name.
std::vector<ConsumedRows> park(OutboxStore& store, auto which) {
  const auto rows = must(store.begin_seal({100}));
  const auto consumed = consumed_by(rows);
  std::vector<ParkedRow> parked;
  std::vector<std::int64_t> left;
  for (const OutboxRow& row : rows) {
    if (which(row)) parked.push_back({row.id, "so"});
    else left.push_back(row.id);
  }
  SealCommit commit = sealing({}, Hlc{5});
  commit.parked = parked;
  commit.left = left;
  must(store.commit_seal(commit));
  return consumed;
}

void retry_all(OutboxStore& store) {
  for (auto parked = must(store.parked(0, 1)); !parked.empty(); parked = must(store.parked(0, 1))) {
    must(store.retry_parked(parked[0].transaction));
  }
}

}  // namespace

TEST_CASE_TEMPLATE("what a batch consumed is dropped wherever it is: waiting, parked or retried",
                   Kind, Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, {register_::set("reg:retried", "1"), counter::add("counter:retried", 1)});
  write(*session, {register_::set("reg:parked", "1"), counter::add("counter:parked", 1)});
  write(*session, {register_::set("reg:waiting", "1"), counter::add("counter:waiting", 1)});
  const auto consumed =
      park(*store, [](const OutboxRow& row) { return row.key.ends_with(":retried"); });
  REQUIRE(consumed.size() == 6);
  write(*session, {register_::set("reg:other", "1")});
  retry_all(*store);
  park(*store, [](const OutboxRow& row) { return row.key.ends_with(":parked"); });
  CHECK(must(store->status()).depth == 5);
  CHECK(must(store->status()).parked == 2);

  must(store->discard(in_runs(consumed)));
  CHECK(must(store->status()).parked == 0);
  CHECK(seal_all(*store, Seq{0}) == std::vector<std::string>{"reg:other"});
}

TEST_CASE_TEMPLATE(
    "a row keeps its tag and the id it was written under, however often it is parked", Kind, Memory,
    Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, {register_::set("reg:a", "1")});
  write(*session, {register_::set("reg:b", "1")});
  const auto everything = [](const OutboxRow&) { return true; };
  const auto before = park(*store, everything);
  for (int round = 0; round < 2; ++round) {
    retry_all(*store);
    const auto again = park(*store, everything);
    REQUIRE(again.size() == before.size());
    for (std::size_t i = 0; i < again.size(); ++i) {
      CHECK(again[i].transaction == before[i].transaction);
      CHECK(again[i].first_id == before[i].first_id);
      CHECK(again[i].tag == before[i].tag);
    }
  }
}

TEST_CASE_TEMPLATE("a row written after a restore is no forgotten one, though the clock stands",
                   Kind, Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  // Writers go by the region's time while their own clock is behind it.
  const auto hour_ahead = (SystemClock().wall() + Micros{3'600'000'000}).count();
  must(store->set_context({}, Hlc::from_micros(static_cast<std::uint64_t>(hour_ahead))));
  must(store->status());
  backend->save();
  write(*session, {register_::set("reg:forgotten", "1")});
  const auto nothing = [](const OutboxRow&) { return false; };
  const auto forgotten = park(*store, nothing);
  REQUIRE(forgotten.size() == 1);
  CHECK(seal_all(*store, Seq{0}).size() == 1);
  backend->put_back();
  must(store->lead());
  write(*session, {register_::set("reg:new", "1")});
  auto consumed = park(*store, nothing);
  REQUIRE(consumed.size() == 1);
  if constexpr (!std::is_same_v<Kind, Postgres>) {  // whose sequences did not go back here
    CHECK(consumed[0].first_id == forgotten[0].first_id);
  }
  consumed[0].tag = forgotten[0].tag;
  must(store->discard(consumed));
  CHECK(seal_all(*store, Seq{0}) == std::vector<std::string>{"reg:new"});
}

TEST_CASE_TEMPLATE(
    "what a person discards is told, as a batch would name it, until it is forgotten", Kind, Memory,
    Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, {register_::set("reg:a", "1"), counter::add("counter:a", 1)});
  backend->save();
  park(*store, [](const OutboxRow&) { return true; });
  const std::int64_t transaction = must(store->parked(0, 1)).at(0).transaction;
  CHECK(must(backend->open_store()->discard_parked(transaction)) == 2);
  const auto told = must(store->discarded(10));
  REQUIRE(!told.empty());
  std::vector<ConsumedRows> rows;
  for (const DiscardRecord& each : told) rows.push_back(each.rows);

  // A database that was put back gives the positions to other rows.
  SealedBatch sealed = batch(Seq{0}, 1);
  const auto tell = [&](const std::vector<DiscardRecord>& what) {
    must(store->seal_discarded(what, sealed, Hlc{5}));
    sealed = batch(sealed.last_seq, 1);
  };
  for (const auto other :
       {&ConsumedRows::transaction, &ConsumedRows::first_id, &ConsumedRows::last_id}) {
    std::vector<DiscardRecord> others = told;
    for (DiscardRecord& each : others) each.rows.*other += 1;
    tell(others);
  }
  std::vector<DiscardRecord> others = told;
  for (DiscardRecord& each : others) each.rows.tag ^= 1;
  tell(others);
  for (DiscardRecord& each : others) each = {each.position + 1, told.front().rows};
  tell(others);
  CHECK(must(store->discarded(10)) == told);

  const SealedBatch last = sealed;
  tell(told);
  CHECK(must(store->discarded(10)).empty());
  CHECK(must(store->status()).head_seq == last.last_seq);
  CHECK(unconfirmed(*store).back().bytes == last.bytes);
  write(*session, {register_::set("reg:next", "1")});
  CHECK(seal_all(*store, last.last_seq).size() == 1);
  backend->put_back();
  must(store->lead());
  CHECK(must(store->status()).depth == 2);
  must(store->discard(rows));
  CHECK(must(store->status()).depth == 0);
}

// Nobody ends the number: SQLite's writers need not.
TEST_CASE("rows of one SQLite transaction's number are told apart, wherever they are") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  const Shell shell(sqlite_path(*backend));
  lead(*store);
  CHECK(shell.insert(", amount", "'counter:published', 'counter', 'add', 1") == "ok");
  backend->save();
  CHECK(shell.insert(", amount", "'counter:forgotten', 'counter', 'add', 1") == "ok");
  const auto consumed = in_runs(park(*store, [](const OutboxRow&) { return false; }));
  CHECK(seal_all(*store, Seq{0}).size() == 2);

  backend->put_back();
  must(store->lead());
  CHECK(shell.insert(", amount", "'counter:new', 'counter', 'add', 1") == "ok");
  SUBCASE("in the outbox") {}
  SUBCASE("parked") {
    park(*store, [](const OutboxRow&) { return true; });
  }
  SUBCASE("retried") {
    park(*store, [](const OutboxRow&) { return true; });
    retry_all(*store);
  }
  must(store->discard(consumed));
  retry_all(*store);
  CHECK(seal_all(*store, Seq{0}) == std::vector<std::string>{"counter:new"});
}

TEST_CASE("a discard tells of every row of a SQLite transaction's number by its own tag") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  const Shell shell(sqlite_path(*backend));
  lead(*store);
  CHECK(shell.insert(", amount", "'counter:a', 'counter', 'add', 1") == "ok");
  CHECK(shell.insert(", amount", "'counter:b', 'counter', 'add', 1") == "ok");
  const auto consumed = park(*store, [](const OutboxRow&) { return true; });
  must(store->discard_parked(consumed[0].transaction));
  const auto told = must(store->discarded(10));
  REQUIRE(told.size() == 2);
  for (std::size_t i = 0; i < told.size(); ++i) {
    CHECK(told[i].rows.first_id == consumed[i].first_id);
    CHECK(told[i].rows.last_id == consumed[i].first_id);
    CHECK(told[i].rows.tag == consumed[i].tag);
  }
}

TEST_CASE_TEMPLATE("what was parked before a restore is in doubt with the rest", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, {register_::set("reg:parked", "1")});
  park(*store, [](const OutboxRow&) { return true; });
  write(*session, {register_::set("reg:waiting", "1")});
  for (const std::uint64_t told : {2, 0}) CHECK(must(store->set_aside("in doubt")) == told);
  const auto parked = must(store->parked(0, 10));
  REQUIRE(parked.size() == 2);
  CHECK(parked[0].reason == "in doubt; parked before: so");
  CHECK(parked[1].reason == "in doubt");
}

}  // namespace tributary::outbox_suite

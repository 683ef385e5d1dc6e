/// What writers had seen stands once, however many rows name it, and for as long as one does.
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>

#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/psql.h"
#include "tests/conformance/outbox_store/shell_sqlite.h"

namespace tributary::outbox_suite {
namespace {

constexpr std::size_t kActors = 1000;
constexpr std::int64_t kRows = 2000;

/// Of many actors, no two of them alike.
VersionVector seen(std::uint64_t round) {
  VersionVector some;
  for (std::uint64_t actor = 1; actor <= kActors; ++actor) {
    some.raise(ActorId{actor * 0x9e3779b97f4a7c15U}, Seq{1'000'000 + round});
  }
  return some;
}

std::vector<Change> removes(std::int64_t count) {
  std::vector<Change> changes;
  for (std::int64_t i = 0; i < count; ++i) changes.push_back(set::remove("set:a", "x"));
  return changes;
}

/// Tells writers so many other contexts that no old one is kept without a reason.
void tell_many(OutboxStore& store, std::uint64_t count = 1500) {
  for (std::uint64_t i = 1; i <= count; ++i) {
    VersionVector some;
    some.raise(ActorId{5}, Seq{i});
    must(store.set_context(some, Hlc{}));
    if (i % 10 == 0) must(store.status());  // SQLite writes what it was told
  }
}

/// Bytes of the rows that wait.
template <typename Kind>
std::int64_t stored_bytes(const Backend& backend) {
  if constexpr (std::is_same_v<Kind, Postgres>) {
    const Psql psql(postgres_url(backend));
    return std::stoll(
        psql.run("SELECT pg_total_relation_size('tributary_outbox') + "
                 "pg_total_relation_size('tributary_told_context')"));
  } else if constexpr (std::is_same_v<Kind, Sqlite>) {
    const Shell shell(sqlite_path(backend));
    return shell.number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  } else {
    return 0;  // what rows share is seen by where it stands
  }
}

/// All rows have `context`, in one place.
void check_shared(std::span<const OutboxRow> rows, const WriterContext& context) {
  std::set<const char*> places;
  const std::string bytes = context.bytes();
  for (const OutboxRow& row : rows) {
    CHECK(row.odd.empty());
    REQUIRE(row.context == bytes);
    CHECK(!row.exact);
    places.insert(row.context.data());
  }
  CHECK(places.size() == 1);
}

/// Another relay leads, which remembers nothing that it told.
void reopen(Backend& backend, std::unique_ptr<OutboxStore>& store) {
  store.reset();
  store = backend.open_store();
  lead(*store);
}

/// The rows that another relay takes.
void check_context(Backend& backend, std::unique_ptr<OutboxStore>& store, std::size_t rows,
                   const VersionVector& context) {
  reopen(backend, store);
  const auto taken = must(store->begin_seal({100'000}));
  REQUIRE(taken.size() == rows);
  check_shared(taken, context);
  store->abort_seal();
}

/// Parks everything that is taken.
void park_all(OutboxStore& store) {
  std::vector<ParkedRow> parked;
  for (const OutboxRow& row : must(store.begin_seal({100'000}))) parked.push_back({row.id, "so"});
  SealCommit commit = sealing({}, Hlc{5});
  commit.parked = parked;
  must(store.commit_seal(commit));
}

}  // namespace

TEST_CASE_TEMPLATE("a context stands once, however many rows of a transaction have it", Kind,
                   Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  must(store->set_context(seen(1), Hlc{}));
  must(store->status());
  const std::int64_t before = stored_bytes<Kind>(*backend);
  write(*session, removes(kRows));
  CHECK(stored_bytes<Kind>(*backend) - before < kRows * 300);
  check_context(*backend, store, kRows, seen(1));
}

TEST_CASE_TEMPLATE("… whatever way they are written", Kind, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  auto store = backend->open_store();
  lead(*store);
  must(store->set_context(seen(1), Hlc{}));
  must(store->status());
  const std::int64_t before = stored_bytes<Kind>(*backend);
  std::size_t rows = 0;
  if constexpr (std::is_same_v<Kind, Postgres>) {
    const Psql psql(postgres_url(*backend));
    const std::string count = "generate_series(1, " + std::to_string(kRows) + ") i";
    CHECK(psql.run("SELECT tributary.set_remove('set:a', 'x') FROM " + count) == "ok");
    CHECK(psql.run("INSERT INTO tributary_outbox (key, type, operation, value) "
                   "SELECT 'set:a', 'set', 'remove', 'x' FROM " +
                   count) == "ok");
    rows = 2 * kRows;
  } else {
    const Shell shell(sqlite_path(*backend));
    CHECK(shell.run("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT " +
                    std::to_string(kRows) +
                    ") INSERT INTO tributary_outbox (key, type, operation, value) "
                    "SELECT 'set:a', 'set', 'remove', 'x' FROM c") == "ok");
    rows = kRows;
  }
  CHECK(stored_bytes<Kind>(*backend) - before < kRows * 600);
  check_context(*backend, store, rows, seen(1));
}

TEST_CASE_TEMPLATE("rows keep what their writers had seen of each key", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const LoweredSeqs seventh{{ActorId{0x9e3779b97f4a7c15U}, Seq{7}}};
  const WriterContext told[] = {
      seen(1), {seen(1), {{"set:a", seventh}}}, {seen(1), {{"set:b", seventh}}}, seen(1)};
  for (const WriterContext& context : told) {
    must(store->set_context(context, Hlc{}));
    must(store->set_context(context, Hlc{}));
    must(store->status());
    write(*session, removes(1));
    reopen(*backend, store);
    must(store->set_context(context, Hlc{}));
    must(store->status());
    write(*session, removes(1));
  }
  const auto rows = must(store->begin_seal({100}));
  REQUIRE(rows.size() == 8);
  for (std::size_t i = 0; i < 4; ++i) check_shared(rows.subspan(2 * i, 2), told[i]);
  store->abort_seal();
}

TEST_CASE_TEMPLATE("a context counts once against the limit of a seal", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const std::size_t bytes = seen(1).bytes().size();
  for (std::uint64_t round = 1; round <= 4; ++round) {
    must(store->set_context(seen(round), Hlc{}));
    must(store->status());
    for (int i = 0; i < 10; ++i) write(*session, removes(10));
  }
  const auto taken = [&](std::size_t limit) {
    const std::size_t rows = must(store->begin_seal({100'000, limit})).size();
    store->abort_seal();
    return rows;
  };
  CHECK(taken(5 * bytes) == 400);
  CHECK(taken(2 * bytes) >= 100);
  CHECK(taken(2 * bytes) <= 220);
}

TEST_CASE_TEMPLATE("what is left of a transaction still has its context", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  must(store->set_context(seen(1), Hlc{}));
  must(store->status());
  write(*session, removes(9));
  const auto consume = [&](std::size_t from, std::size_t count) {
    const auto rows = must(store->begin_seal({100}));
    std::vector<ConsumedRows> consumed;
    for (const OutboxRow& row : rows.subspan(from, count)) {
      consumed.push_back({row.transaction, row.first_id(), row.first_id(), row.tag});
    }
    store->abort_seal();
    must(store->discard(consumed));
  };
  consume(0, 3);
  check_context(*backend, store, 6, seen(1));
  backend->save();
  consume(4, 2);
  park_all(*store);
  backend->put_back();
  must(store->lead());
  check_context(*backend, store, 6, seen(1));
  park_all(*store);
  tell_many(*store);
  must(store->retry_parked(must(store->parked(0, 1)).at(0).transaction));
  consume(0, 1);
  check_context(*backend, store, 5, seen(1));
}

TEST_CASE_TEMPLATE("rows that are parked, set aside, retried and left keep their context", Kind,
                   Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  must(store->set_context(seen(1), Hlc{}));
  must(store->status());
  write(*session, removes(5));
  for (int round = 0; round < 3; ++round) {
    if (round == 0) park_all(*store);
    else CHECK(must(store->set_aside("in doubt")) == 5);
    tell_many(*store);
    CHECK(must(store->retry_parked(must(store->parked(0, 1)).at(0).transaction)) == 5);
    tell_many(*store, 400);  // and now they wait
    check_context(*backend, store, 5, seen(1));
  }
  const auto rows = must(store->begin_seal({100}));
  std::vector<std::int64_t> left;
  for (const OutboxRow& row : rows) left.push_back(row.id);
  SealCommit commit = sealing({}, Hlc{5});
  commit.left = left;
  must(store->commit_seal(commit));
  tell_many(*store);
  check_context(*backend, store, 5, seen(1));
}

TEST_CASE_TEMPLATE("a savepoint that is rolled back takes no other row's context along", Kind,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  auto store = backend->open_store();
  lead(*store);
  must(store->set_context(seen(1), Hlc{}));
  must(store->status());
  const std::string insert =
      "INSERT INTO tributary_outbox (key, type, operation, value) "
      "VALUES ('set:a', 'set', 'remove', 'x'); ";
  const std::string sql = "BEGIN; SAVEPOINT a; " + insert + "SAVEPOINT b; " + insert +
                          "ROLLBACK TO SAVEPOINT a; " + insert + "SAVEPOINT c; " + insert +
                          "ROLLBACK TO SAVEPOINT c; " + insert + "COMMIT";
  if constexpr (std::is_same_v<Kind, Postgres>) {
    CHECK(Psql(postgres_url(*backend)).run(sql) == "ok");
  } else {
    CHECK(Shell(sqlite_path(*backend)).run(sql) == "ok");
  }
  check_context(*backend, store, 2, seen(1));
}

TEST_CASE_TEMPLATE("contexts that nobody names any more are deleted", Kind, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const auto kept = [&]() -> std::int64_t {
    const std::string count = "SELECT count(*) FROM tributary_told_context";
    if constexpr (std::is_same_v<Kind, Postgres>) {
      return std::stoll(Psql(postgres_url(*backend)).run(count));
    } else {
      return Shell(sqlite_path(*backend)).number(count);
    }
  };
  write(*session, removes(2));
  SUBCASE("while few rows wait") {}
  SUBCASE("while many do") {
    write(*session, std::vector<Change>(25'000, counter::add("counter:a", 1)));
  }
  for (int round = 0; round < 3; ++round) {
    tell_many(*store);
    CHECK(kept() < 1000);
  }
  write(*session, removes(2));
  CHECK(must(store->begin_seal({30'000})).back().context.size() > 1);
}

}  // namespace tributary::outbox_suite

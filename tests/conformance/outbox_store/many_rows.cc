/// An outbox with more rows than can be counted, or moved, at once.
#include <functional>

#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/psql.h"
#include "tests/conformance/outbox_store/shell_sqlite.h"

namespace tributary::outbox_suite {
namespace {

constexpr std::uint64_t kRows = OutboxStatus::kMostCounted + 50;

/// What `store` says and does with kRows that wait and kRows that are parked.
void look(OutboxStore& store) {
  OutboxStatus status = must(store.status());
  CHECK(status.depth == OutboxStatus::kMostCounted + 1);
  CHECK(status.parked == OutboxStatus::kMostCounted + 1);
  CHECK(status.oldest > Micros{0});
  CHECK(counted(status.depth) == "100000+");
  CHECK(counted(OutboxStatus::kMostCounted) == "100000");

  CHECK(must(store.set_aside("doubt")) == 2 * kRows);
  CHECK(must(store.status()).depth == 0);
  CHECK(must(store.set_aside("doubt")) == 0);
  std::uint64_t marked = 0;
  std::uint64_t before = 0;
  std::int64_t after = 0;
  for (auto page = must(store.parked(0, 10'000)); !page.empty();
       page = must(store.parked(after, 10'000))) {
    for (const ParkedChange& each : page) {
      marked += each.reason.starts_with("doubt") ? 1 : 0;
      before += each.reason == "doubt; parked before: so" ? 1 : 0;
    }
    after = page.back().position;
  }
  CHECK(marked == 2 * kRows);
  CHECK(before == kRows);
}

constexpr int kCounters = 7000;

/// `store` has minted an actor beside kCounters of the one before: they go with the confirms, some
/// at a time. `count` tells how many are left.
void sweep(OutboxStore& store, const std::function<std::int64_t()>& count) {
  must(store.mint({ActorId{8}, Hlc{5}, {{ActorId{7}, Seq{0}}}}));
  CHECK(count() == kCounters);
  std::int64_t left = kCounters;
  for (int i = 0; i < 20 && left > 0; ++i) {
    must(store.confirm(ActorId{8}, Seq{0}, std::chrono::hours(1)));
    must(store.status());
    const std::int64_t now = count();
    CHECK(left - now <= 2000);
    left = now;
  }
  CHECK(left == 0);
}

}  // namespace

TEST_CASE("PostgreSQL: counters of a former actor go in bounded steps") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  REQUIRE(psql.run("INSERT INTO tributary_counter (key, field, actor, increments, decrements) "
                   "SELECT 'counter:' || n, '', 7, 1, 0 FROM generate_series(1, " +
                   std::to_string(kCounters) + ") n") == "ok");
  sweep(*store, [&] { return std::stoll(psql.run("SELECT count(*) FROM tributary_counter")); });
}

TEST_CASE("SQLite: counters of a former actor go in bounded steps") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  lead(*store);
  const Shell shell(sqlite_path(*backend));
  REQUIRE(shell.run("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT " +
                    std::to_string(kCounters) +
                    ") INSERT INTO tributary_counter (key, field, actor, increments, decrements) "
                    "SELECT 'counter:' || n, x'', 7, 1, 0 FROM c") == "ok");
  sweep(*store, [&] { return shell.number("SELECT count(*) FROM tributary_counter"); });
}

TEST_CASE("PostgreSQL: an outbox is counted to a bound, and set aside in steps") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  const std::string rows = "generate_series(1, " + std::to_string(kRows) + ") n";
  REQUIRE(psql.run("SET session_replication_role = replica; "
                   "INSERT INTO tributary_outbox (hlc, transaction_id, key, type, operation) "
                   "SELECT (extract(epoch FROM now()) * 1000000)::bigint << 12, n / 100, 'reg:a', "
                   "'register', 'clear' FROM " +
                   rows) == "ok");
  REQUIRE(psql.run("INSERT INTO tributary_parked (id, transaction_id, key, type, operation, hlc, "
                   "tag, reason) SELECT n, n, 'reg:a', 'register', 'clear', 1, 1, 'so' FROM " +
                   rows) == "ok");
  look(*store);
}

TEST_CASE("SQLite: an outbox is counted to a bound, and set aside in steps") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  lead(*store);
  const Shell shell(sqlite_path(*backend));
  const std::string rows = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT " +
                           std::to_string(kRows) + ") ";
  REQUIRE(shell.run("BEGIN; DROP TRIGGER tributary_check_change; "
                    "DROP TRIGGER tributary_complete_change; " +
                    rows +
                    "INSERT INTO tributary_outbox (hlc, transaction_id, key, type, operation) "
                    "SELECT (strftime('%s', 'now') * 1000000) << 12, n / 100, 'reg:a', "
                    "'register', 'clear' FROM c; " +
                    rows +
                    "INSERT INTO tributary_parked (id, transaction_id, key, type, operation, hlc, "
                    "reason, parked_at) SELECT n, n, 'reg:a', 'register', 'clear', 1, 'so', 1 "
                    "FROM c; COMMIT") == "ok");
  look(*store);
}

}  // namespace tributary::outbox_suite

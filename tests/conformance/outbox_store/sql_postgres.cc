/// What other languages meet on PostgreSQL: functions, plain INSERTs, and their errors.
#include <chrono>
#include <memory>

#include "connectors/outbox/postgres/outbox_store.h"
#include "connectors/outbox/postgres/producer_session.h"
#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/psql.h"

namespace tributary::outbox_suite {

TEST_CASE("the SQL functions write what the library writes") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  VersionVector seen;
  seen.raise(ActorId{3}, Seq{4});
  const Micros later = SystemClock().wall() + std::chrono::hours(1);
  const Hlc told{Hlc::from_micros(static_cast<std::uint64_t>(later.count())).value + 3039};
  must(store->set_context(seen, told));
  VersionVector exact;
  exact.raise(ActorId{5}, Seq{6});
  const Psql psql(postgres_url(*backend));
  for (const std::string call :
       {"counter_add('counter:a', -9223372036854775807)", "register_set('reg:a', 'é')",
        "register_set('reg:b', '\\x00ff'::bytea)", "register_clear('reg:a')",
        "set_add('set:a', '')", "set_remove('set:a', 'x')", "set_clear('set:a')"}) {
    CHECK(psql.run("SELECT tributary." + call) == "ok");
  }
  CHECK(psql.run("SELECT tributary.set_remove('set:b', 'x', '" + exact.token() + "')") == "ok");
  CHECK(psql.run("INSERT INTO tributary_outbox (key, type, operation, value) "
                 "VALUES ('set:c', 'set', 'remove', 'x')") == "ok");
  const auto rows = must(store->begin_seal({100}));
  REQUIRE(rows.size() == 9);
  CHECK(rows[0].amount == -9223372036854775807);
  CHECK(rows[0].operation == "add");
  CHECK(rows[1].value == "é");
  CHECK(rows[2].value == std::string("\0\xff", 2));
  CHECK(rows[3].operation == "clear");
  CHECK(rows[4].value.empty());
  CHECK(rows[4].context.empty());
  CHECK(rows[5].context == seen.bytes());
  CHECK(rows[6].context == seen.bytes());
  CHECK(rows[7].context == exact.bytes());
  CHECK(rows[8].context == seen.bytes());
  for (const OutboxRow& row : rows) CHECK(row.hlc == Hlc{told.value + 1});
  CHECK(rows[0].transaction != rows[1].transaction);
  store->abort_seal();
}

TEST_CASE("the SQL functions refuse what the library refuses, and say why") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Psql psql(postgres_url(*backend));
  const auto refused = [&](const std::string& call, const std::string& words) {
    const std::string message = psql.run("SELECT tributary." + call);
    CHECK_MESSAGE(says(message, words), call << ": " << message);
    CHECK_MESSAGE(says(message, "HINT:"), message);
  };
  refused("counter_add('', 1)", "the key is empty");
  refused("counter_add('tributary:x', 1)", "starts with \"tributary:\"");
  refused("counter_add('nobody:x', 1)", "no keyspace matches key \"nobody:x\"");
  refused("counter_add('reg:x', 1)", "is a register by its keyspace, not a counter");
  refused("counter_add('counter:' || repeat('x', 64), 1)", "the limit is 64");
  refused("set_add('set:x', repeat('x', 1001))", "has 1001 bytes, the limit is 1000");
  refused("set_add('set:x', NULL::text)", "needs a value");
  refused("counter_add('counter:x', NULL)", "needs an amount");
  refused("counter_add('counter:x', (-9223372036854775808))", "would overflow");
  refused("set_remove('set:x', 'y', 'no token')", "not a token");
  CHECK(psql.run("SELECT tributary.counter_add('counter:x', 9223372036854775807)") == "ok");
  refused("counter_add('counter:x', 1)", "counter \"counter:x\" would overflow");
  CHECK(psql.run("SELECT tributary.counter_add('counter:x', -1)") == "ok");
  const std::string unknown = psql.run(
      "INSERT INTO tributary_outbox (key, type, operation) VALUES ('reg:x','register','x')");
  CHECK_MESSAGE(says(unknown, "operation x of register on key \"reg:x\" does not exist"), unknown);
}

TEST_CASE("a refused SQL function leaves the transaction usable behind a savepoint") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("BEGIN; SELECT tributary.register_set('reg:a', '1'); SAVEPOINT s") == "ok");
  CHECK(psql.run("SELECT tributary.register_set('', '1')") != "ok");
  CHECK(psql.run("ROLLBACK TO s; SELECT tributary.register_set('reg:b', '1'); COMMIT") == "ok");
  CHECK(seal_all(*store, Seq{0}) == std::vector<std::string>{"reg:a", "reg:b"});
}

TEST_CASE("keyspaces match in SQL as they match in the library") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Psql psql(postgres_url(*backend));
  for (const std::string key : {"odd_%[x]y", "odd_%[x]yz", "odd_%[x]", "oddx%[x]y", "odd_zz[x]y",
                                "odd_%xy", "odd_%[x]é", "reg:", "Reg:x", "reg"}) {
    const bool legal = type_of(schema(), key).has_value();
    const std::string said = psql.run("SELECT tributary.register_set('" + key + "', '1')");
    CHECK_MESSAGE((said == "ok") == legal, key << ": " << said);
  }
}

TEST_CASE("the schema can be applied again, to its own origin only") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const std::string url = postgres_url(*backend);
  const auto session = backend->open_session();
  must(session->begin());
  CHECK(must(postgres::open_producer_session(url))->outbox().schema().limits.key_bytes == 64);
  must(session->rollback());
  Schema wider = schema();
  wider.limits.key_bytes = 65;
  wider.keyspaces.insert(wider.keyspaces.begin(), Keyspace{"reg:it's*", "counter"});
  must(postgres::apply_schema(url, origin(), wider));
  const auto reader = must(postgres::open_producer_session(url));
  CHECK(reader->outbox().schema().limits.key_bytes == 65);
  REQUIRE(reader->outbox().schema().keyspaces.size() == wider.keyspaces.size());
  CHECK(reader->outbox().schema().keyspaces[0].pattern == "reg:it's*");
  const Psql psql(url);
  CHECK(psql.run("SELECT tributary.counter_add('reg:it''s mine', 1)") == "ok");

  const auto other = postgres::apply_schema(url, {"shop-us"}, wider);
  REQUIRE(!other);
  CHECK(other.error().kind == ErrorKind::kInvalid);
  CHECK(says(other.error().message, "origin \"shop-eu\""));
  CHECK(psql.run("UPDATE tributary_schema SET version = 1000") == "ok");
  const auto newer = postgres::apply_schema(url, origin(), wider);
  REQUIRE(!newer);
  CHECK(newer.error().kind == ErrorKind::kInvalid);
}

TEST_CASE("errors say what to do and never show a password") {
  OUTBOX_SUITE_BACKEND(Postgres);
  std::string url = postgres_url(*backend);
  const Psql psql(url);
  CHECK(psql.run("DROP TABLE tributary_limits, tributary_outbox") == "ok");
  const auto session = postgres::open_producer_session(url);
  REQUIRE(!session);
  CHECK(session.error().kind == ErrorKind::kInvalid);
  CHECK(says(session.error().message, "topology apply"));
  const auto store = must(postgres::open_outbox_store(url, origin()));
  const auto status = store->status();
  REQUIRE(!status);
  CHECK(status.error().kind == ErrorKind::kFatal);
  CHECK(says(status.error().message, "topology apply"));

  const auto missing = postgres::open_outbox_store(url + "_not", origin());
  REQUIRE(!missing);
  CHECK(missing.error().kind == ErrorKind::kFatal);
  CHECK(says(missing.error().message, "createdb"));
  for (const std::string wrong : {"postgresql://u:hunter2@127.0.0.1:1/x", "hunter2",
                                  "postgresql://u:hunter2@127.0.0.1:port/x?a=b"}) {
    const auto failed = postgres::open_outbox_store(wrong, origin(), Millis{2000});
    REQUIRE(!failed);
    CHECK_MESSAGE(!says(failed.error().message, "hunter2"), failed.error().message);
  }
}

TEST_CASE("statistics of an empty outbox do not slow down a full one") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  const auto fill = [&] {
    CHECK(
        psql.run("INSERT INTO tributary_outbox (transaction_id, key, type, operation, amount, hlc)"
                 "SELECT g / 3, 'counter:' || g, 'counter', 'add', 1, 1 "
                 "FROM generate_series(1, 60000) g; "
                 "INSERT INTO tributary_counter "
                 "SELECT 'counter:' || g, '', 7, 1, 1 FROM generate_series(1, 60000) g") == "ok");
  };
  fill();
  CHECK(psql.run("DELETE FROM tributary_outbox; DELETE FROM tributary_counter") == "ok");
  CHECK(psql.run("VACUUM ANALYZE tributary_outbox") == "ok");
  CHECK(psql.run("VACUUM (ANALYZE, TRUNCATE off) tributary_counter") == "ok");
  fill();
  const Micros start = SystemClock().monotonic();
  const auto rows = must(store->begin_seal({10000}));
  CHECK(rows.size() > 9990);
  std::vector<TotalsKey> keys;
  for (const OutboxRow& row : rows) keys.push_back({row.key, ""});
  CHECK(must(store->load_totals(keys)).size() == rows.size());
  store->abort_seal();
  const Micros took = SystemClock().monotonic() - start;
  CHECK_MESSAGE(took < Micros{2'000'000}, took.count() << " us");
}

TEST_CASE("a server that cut the connection makes the store transient, and frees the lease") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, {Change{.key = "reg:a", .type = "register", .operation = "set", .value = "1"}});
  must(store->begin_seal({10}));
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE application_name = 'tributary-relay'") == "t");
  const auto sealed = commit_batch(*store, Seq{0}, 1);
  REQUIRE(!sealed);
  CHECK(sealed.error().kind == ErrorKind::kTransient);
  CHECK(store->status().error().kind == ErrorKind::kTransient);
  const auto next = backend->open_store();
  CHECK(lead_soon(*next).head_seq == Seq{0});
  CHECK(seal_all(*next, Seq{0}) == std::vector<std::string>{"reg:a"});
}

}  // namespace tributary::outbox_suite

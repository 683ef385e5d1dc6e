/// What plain SQL may not do on PostgreSQL: pass a limit, a check, or another's transaction.
#include <memory>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>

#include "connectors/outbox/postgres/outbox_store.h"
#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/psql.h"

namespace tributary::outbox_suite {
namespace {

void check_refused(const Psql& psql, const std::string& sql, const std::string& words) {
  const std::string message = psql.run(sql);
  CHECK_MESSAGE(says(message, words), sql << ": " << message);
  CHECK_MESSAGE(says(message, "HINT:"), sql << ": " << message);
}

std::string rows(const std::string& count, const std::string& value = "'x'") {
  return "INSERT INTO tributary_outbox (key, type, operation, value) SELECT 'set:a', 'set', 'add', "
         "convert_to(" +
         value + ", 'UTF8') FROM generate_series(1, " + count + ") i";
}

void apply_limits(const Backend& backend, std::size_t changes, std::size_t bytes) {
  Schema narrow = schema();
  narrow.limits.transaction_changes = changes;
  narrow.limits.transaction_bytes = bytes;
  must(postgres::apply_schema(postgres_url(backend), origin(), narrow));
}

}  // namespace

TEST_CASE("a transaction's limits hold for SQL, over all of its statements") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  apply_limits(*backend, 10, 2000);
  const Psql psql(postgres_url(*backend));
  check_refused(psql, rows("11"), "more than 10 changes");
  CHECK(psql.run(rows("10")) == "ok");
  CHECK(psql.run("BEGIN; " + rows("6")) == "ok");
  check_refused(psql, rows("5"), "more than 10 changes");
  CHECK(psql.run("ROLLBACK") == "ok");
  check_refused(psql, rows("3", "repeat('x', 900)"), "more than 2000 bytes");
  check_refused(psql,
                "COPY tributary_outbox (key, type, operation) FROM PROGRAM "
                "'yes \"reg:a\tregister\tclear\" | head -n 11'",
                "more than 10 changes");
  CHECK(psql.run("BEGIN; " + rows("4") + "; SELECT tributary.counter_add('counter:a', 1)") == "ok");
  CHECK(psql.run("COMMIT") == "ok");
  CHECK(seal_all(*store, Seq{0}).size() == 15);
}

TEST_CASE("a savepoint that is rolled back takes its part of the limits along") {
  OUTBOX_SUITE_BACKEND(Postgres);
  apply_limits(*backend, 10, 2000);
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("BEGIN; " + rows("4") + "; SAVEPOINT s; " + rows("6")) == "ok");
  CHECK(psql.run("ROLLBACK TO s; " + rows("6")) == "ok");
  check_refused(psql, rows("1"), "more than 10 changes");
  CHECK(psql.run("ROLLBACK") == "ok");
}

TEST_CASE("the library's changes count against the same limits") {
  OUTBOX_SUITE_BACKEND(Postgres);
  apply_limits(*backend, 10, 2000);
  const auto session = backend->open_session();
  must(session->begin());
  const std::vector<Change> six(6, register_::clear("reg:a"));
  must(session->outbox().insert(six));
  const auto refused = session->outbox().insert(six);
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::kInvalid);
  CHECK(says(refused.error().message, "more than 10 changes"));
  must(session->rollback());
  must(session->begin());
  must(session->outbox().insert(six));
  must(session->outbox().commit());
}

TEST_CASE("a NULL, a fraction or what is no number is refused, and says so") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Psql psql(postgres_url(*backend));
  const auto refused = [&](const std::string& call, const std::string& words) {
    check_refused(psql, "SELECT tributary." + call, words);
  };
  refused("counter_add(NULL, 1)", "the key is NULL");
  refused("counter_add('counter:a', NULL)", "needs an amount");
  refused("register_set('reg:a', NULL)", "needs a value");
  refused("set_remove('set:a', NULL)", "needs a value");
  refused("set_clear(NULL)", "the key is NULL");
  refused("counter_add('counter:a', 1.5)", "1.5 is no integer");
  refused("counter_add('counter:a', 'NaN')", "no 64-bit integer");
  refused("counter_add('counter:a', 'Infinity')", "no 64-bit integer");
  refused("counter_add('counter:a', 9223372036854775808)", "no 64-bit integer");
  CHECK(psql.run("SELECT tributary.counter_add('counter:a', 1.5::float8)") != "ok");
  const std::string insert =
      "INSERT INTO tributary_outbox (key, type, operation, amount) VALUES ('counter:a', ";
  check_refused(psql, insert + "'counter', 'add', 1.5)", "1.5 is no integer");
  check_refused(psql, insert + "'counter', 'add', 2.5::float8)", "2.5 is no integer");
  check_refused(psql, insert + "'counter', 'add', 'NaN'::float8)", "no 64-bit integer");
  check_refused(psql, insert + "'counter', NULL, 1)", "does not exist");
  check_refused(psql, insert + "NULL, 'add', 1)", "not a NULL");
  check_refused(psql,
                "INSERT INTO tributary_outbox (key, type, operation, amount) "
                "VALUES ('nobody:a', NULL, 'add', 1)",
                "no keyspace matches key \"nobody:a\"");
  for (const char* whole :
       {"1", "1::smallint", "1::bigint", "'1'", "1.0", "-9223372036854775807"}) {
    CHECK(psql.run("SELECT tributary.counter_add('counter:b', " + std::string(whole) + ")") ==
          "ok");
  }
}

TEST_CASE("a row that brings its own time is checked like all others, and gets ours") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  const auto insert = [&](const std::string& columns, const std::string& values) {
    return psql.run("INSERT INTO tributary_outbox (key, type, operation" + columns + ") VALUES (" +
                    values + ")");
  };
  CHECK(says(insert(", value, hlc", "'reg:a', 'register', 'set', repeat('x', 1001)::bytea, 1"),
             "the limit is 1000"));
  CHECK(
      says(insert(", amount, hlc", "'reg:a', 'counter', 'add', 1, 1"), "register by its keyspace"));
  CHECK(says(insert(", value, hlc, transaction_id", "'set:a', 'set', 'add', NULL, 1, 1"),
             "needs a value"));
  CHECK(insert(", value, hlc", "'reg:a', 'register', 'set', '1', 1") == "ok");
  CHECK(insert(", value, hlc", "'reg:a', 'register', 'set', '2', -1") == "ok");
  CHECK(insert(", value, hlc, transaction_id", "'reg:a', 'register', 'set', '3', -1, 5") == "ok");
  const auto taken = must(store->begin_seal({10}));
  REQUIRE(taken.size() == 3);
  const auto now = static_cast<std::uint64_t>(SystemClock().wall().count());
  for (const OutboxRow& row : taken) {
    CHECK(row.hlc.micros() > now - 60'000'000);
    CHECK(row.hlc.micros() < now + 60'000'000);
    CHECK(row.transaction > 5);
  }
  store->abort_seal();
}

TEST_CASE("an id given by hand cannot break another's transaction") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("SELECT tributary.counter_add('counter:a', 1)") == "ok");
  const std::string columns = "INSERT INTO tributary_outbox (id, key, type, operation) ";
  const std::string values = "VALUES (3, 'reg:a', 'register', 'clear')";
  CHECK(psql.run(columns + values) != "ok");
  check_refused(psql, columns + "OVERRIDING SYSTEM VALUE " + values,
                "not one that the outbox gave");
  check_refused(psql,
                "COPY tributary_outbox (id, key, type, operation) FROM PROGRAM "
                "'printf \"3\\treg:a\\tregister\\tclear\\n\"'",
                "not one that the outbox gave");
  for (int i = 0; i < 5; ++i) {
    CHECK(psql.run("SELECT tributary.counter_add('counter:a', 1)") == "ok");
  }
}

TEST_CASE("a context that is no token is refused where it is written") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Psql psql(postgres_url(*backend));
  VersionVector seen;
  seen.raise(ActorId{5}, Seq{300});
  seen.raise(ActorId{6}, Seq{1ULL << 62});
  const std::string token = seen.token();
  const auto remove = [](const std::string& context) {
    return "SELECT tributary.set_remove('set:a', 'x', '" + context + "')";
  };
  CHECK(psql.run(remove(token)) == "ok");
  CHECK(psql.run(remove("00")) == "ok");
  for (const std::string& wrong :
       {std::string("0"), std::string("01"), std::string("ff"), std::string("no token"),
        token + "00", token.substr(0, token.size() - 2), std::string("ffffffffffffffffffff"),
        "01" + std::string(16, '0') + std::string(22, 'f')}) {
    check_refused(psql, remove(wrong), "not a token");
  }
}

TEST_CASE("an hlc near 2^64 in the context fails no writer") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Psql psql(postgres_url(*backend));
  for (const char* hlc : {"-1", "-9223372036854775808", "9223372036854775807"}) {
    CHECK(psql.run("UPDATE tributary_context SET hlc = " + std::string(hlc)) == "ok");
    CHECK(psql.run("SELECT tributary.counter_add('counter:a', 1)") == "ok");
    CHECK(must(backend->open_store()->status()).oldest < SystemClock().wall() + Micros{60'000'000});
  }
}

}  // namespace tributary::outbox_suite

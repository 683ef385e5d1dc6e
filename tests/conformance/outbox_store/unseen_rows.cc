/// Rows that no trigger has seen, or not as they are now: the seal parks what is wrong with them,
/// and everything else goes on.
#include <algorithm>
#include <string>
#include <vector>

#include "connectors/outbox/sqlite/outbox_store.h"
#include "outbox/batch/sealing.h"
#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/psql.h"
#include "tests/conformance/outbox_store/shell_sqlite.h"

namespace tributary::outbox_suite {
namespace {

/// Seals and commits whatever there is; the reasons of what was parked.
std::vector<std::string> seal_checked(OutboxStore& store, Seq after = {}) {
  const auto rows = must(store.begin_seal({1000}));
  const StoredSchema stored = must(store.schema());
  SealRules rules;
  rules.schema = &stored;
  rules.clock = kMaxHlc;
  TotalsCache totals;
  const auto unknown = totals.unknown(rows);
  totals.learn(unknown, must(store.load_totals(unknown)));
  const SealResult sealed = seal({ActorId{7}, origin(), after, Hlc{}}, rows, rules, totals);
  SealCommit commit = sealing(sealed.batches, sealed.head.hlc);
  commit.parked = sealed.parked;
  must(store.commit_seal(commit));
  std::vector<std::string> reasons;
  for (const ParkedRow& each : sealed.parked) reasons.push_back(each.reason);
  return reasons;
}

void check_parked(OutboxStore& store, const std::vector<std::string>& reasons) {
  const auto parked = must(store.parked(0, 100));
  REQUIRE(parked.size() == reasons.size());
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    CHECK_MESSAGE(says(parked[i].reason, reasons[i]), parked[i].reason);
  }
}

std::string token(std::uint64_t actor, std::uint64_t seq) {
  VersionVector seen;
  seen.raise(ActorId{actor}, Seq{seq});
  return seen.token();
}

std::int64_t now() { return SystemClock().wall().count(); }

}  // namespace

TEST_CASE("PostgreSQL: a row that the trigger did not see is parked, and stops nobody") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  const auto insert = [&](const std::string& columns, const std::string& values) {
    CHECK(psql.run("INSERT INTO tributary_outbox (hlc, key, type, operation" + columns +
                   ") VALUES (1, " + values + ")") == "ok");
  };
  std::vector<std::string> reasons;
  SUBCASE("with the triggers off") {
    CHECK(psql.run("SET session_replication_role = replica") == "ok");
  }
  SUBCASE("with the library's setting") {
    CHECK(psql.run("SET tributary.checked = 'yes'") == "ok");
  }
  for (const auto& [amount, said] : std::vector<std::pair<std::string, std::string>>{
           {"1e30", "1000000000000000000000000000000"},
           {"'NaN'", "NaN"},
           {"'-Infinity'", "-Infinity"},
           {"1.50", "1.5"},
           {"-0.000125", "-0.000125"},
           {"9223372036854775808", "9223372036854775808"},
           {"-9223372036854775809", "-9223372036854775809"}}) {
    insert(", amount", "'counter:a', 'counter', 'add', " + amount);
    reasons.emplace_back("its amount is " + said + ", no 64-bit integer");
  }
  insert(", amount", "'counter:a', 'counter', 'add', NULL");
  reasons.emplace_back("needs an amount, and it is NULL");
  insert(", value", "'reg:a', 'register', 'set', NULL");
  reasons.emplace_back("needs a value, and it is NULL");
  insert(", value", "'reg:a', 'register', 'put', 'x'");
  reasons.emplace_back("there is no operation \"put\"");
  insert(", amount", "'counter:b', 'counter', 'add', 3.00");
  insert(", value", "'reg:b', 'register', 'set', ''");
  CHECK(Psql(postgres_url(*backend)).run("SELECT tributary.counter_add('counter:a', 1)") == "ok");
  CHECK(seal_checked(*store).size() == reasons.size());
  check_parked(*store, reasons);
  CHECK(must(store->status()).depth == 0);
  CHECK(must(store->status()).head_seq == Seq{3});
  for (const ParkedChange& each : must(store->parked(0, 100))) CHECK(each.amount == 0);
  // What is wrong stays wrong, and says so.
  CHECK(!store->retry_parked(must(store->parked(0, 1))[0].transaction));
}

TEST_CASE(
    "PostgreSQL: a context that was never told is parked, though the row brings its own time") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  const std::string hlc = std::to_string(now() << 12);
  const auto remove = [&](const std::string& transaction, const std::string& context) {
    CHECK(psql.run("INSERT INTO tributary_outbox (hlc, transaction_id, exact, key, type, operation,"
                   " value, context) VALUES (" +
                   hlc + ", " + transaction + ", false, 'set:a', 'set', 'remove', 'x', decode('" +
                   context + "', 'hex'))") == "ok");
  };
  remove("4", token(9, std::uint64_t{1} << 40));
  remove("5", VersionVector{}.token());
  CHECK(seal_checked(*store).size() == 1);
  check_parked(*store, {"its context claims to have seen change 1099511627776 of actor"});
  CHECK(must(store->status()).head_seq == Seq{1});
}

TEST_CASE("PostgreSQL: a time that a row brings makes no outbox look old") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  const std::string insert =
      "INSERT INTO tributary_outbox (hlc, transaction_id, key, type, operation) VALUES (";
  const std::string rest = ", 'reg:a', 'register', 'clear')";
  const std::int64_t before = now() - 60'000'000;
  CHECK(psql.run(insert + "4, 4" + rest) == "ok");
  CHECK(must(store->status()).oldest > Micros{before});
  CHECK(psql.run("SET session_replication_role = replica; " + insert + "4, 4" + rest + ";" +
                 insert + "-1, 4" + rest) == "ok");
  CHECK(must(store->status()).oldest > Micros{before});
  CHECK(must(store->status()).oldest < Micros{now() + 60'000'000});
}

TEST_CASE("PostgreSQL: rows of a backup count for the transaction that they name") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("UPDATE tributary_limits SET value = 10 WHERE name = 'transaction_changes'") ==
        "ok");
  const auto insert = [&](const std::string& count, const std::string& transaction) {
    return psql.run(
        "INSERT INTO tributary_outbox (hlc, transaction_id, key, type, operation) "
        "SELECT " +
        std::to_string(now() << 12) + ", " + transaction +
        ", 'reg:a', 'register', 'clear' FROM generate_series(0, " + count + " - 1) i");
  };
  CHECK(says(insert("11", "5"), "more than 10 changes"));
  CHECK(insert("10", "5") == "ok");
  CHECK(insert("35", "6 + i / 10") == "ok");  // four transactions
}

TEST_CASE("SQLite: a row that was changed behind the trigger is parked, and stops nobody") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  lead(*store);
  const Shell shell(sqlite_path(*backend));
  std::vector<std::string> reasons;
  const auto change = [&](const std::string& row, const std::string& column,
                          const std::string& value, const std::string& reason) {
    CHECK(shell.run(row) == "ok");
    CHECK(shell.run("UPDATE tributary_outbox SET " + column + " = " + value +
                    " WHERE id = (SELECT max(id) FROM tributary_outbox);"
                    "UPDATE tributary_transaction SET number = number + 1") == "ok");
    if (!reason.empty()) reasons.push_back(reason);
  };
  const std::string add =
      "INSERT INTO tributary_outbox (key, type, operation, amount) "
      "VALUES ('counter:a', 'counter', 'add', 1)";
  const std::string set =
      "INSERT INTO tributary_outbox (key, type, operation, value) "
      "VALUES ('reg:a', 'register', 'set', '1')";
  const std::string remove =
      "INSERT INTO tributary_outbox (key, type, operation, value, context) "
      "VALUES ('set:a', 'set', 'remove', '1', x'" +
      token(9, 1 << 20) + "')";
  for (const std::string amount : {"1e30", "1.5", "9e999", "'3'", "x'33'"}) {
    change(add, "amount", amount, "no 64-bit integer");
  }
  change(add, "amount", "NULL", "needs an amount, and it is NULL");
  change(set, "value", "NULL", "needs a value, and it is NULL");
  change(set, "key", "x'7265673a61'", "is no text");
  change(remove, "context", "'00'", "its context is no blob");
  change(remove, "exact", "0", "its context claims to have seen change 1048576 of actor");
  change(set, "hlc", "-1", "beyond the year 2100");
  change(add, "amount", "3.0", "");
  change(set, "value", "5", "");
  change(set, "hlc", "4", "");
  const std::int64_t before = now() - 60'000'000;
  CHECK(must(store->status()).oldest > Micros{before});
  CHECK(seal_checked(*store).size() == reasons.size());
  check_parked(*store, reasons);
  CHECK(must(store->status()).depth == 0);
  CHECK(must(store->status()).head_seq == Seq{3});
}

TEST_CASE("SQLite: a context counts against the limits") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const Shell shell(sqlite_path(*backend));
  VersionVector large;
  for (std::uint64_t actor = 1; actor <= 100; ++actor) large.raise(ActorId{actor}, Seq{1});
  const auto remove = [&] {
    return shell.insert(", value, context",
                        "'set:a', 'set', 'remove', '1', x'" + large.token() + "'");
  };
  CHECK(shell.run("UPDATE tributary_limits SET value = 3000 WHERE name = 'transaction_bytes'") ==
        "ok");
  for (int i = 0; i < 3; ++i) CHECK(remove() == "ok");
  CHECK(says(remove(), "limits.transaction_bytes"));
  for (std::uint64_t actor = 101; actor <= 120; ++actor) large.raise(ActorId{actor}, Seq{1});
  CHECK(says(remove(), "the context is longer than limits.value_bytes"));
}

TEST_CASE("SQLite: a file in UTF-16 is refused, and its encoding named") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend) + ".utf16";
  const Shell shell(path);
  CHECK(shell.run("PRAGMA encoding = 'UTF-16le'; CREATE TABLE mine (x)") == "ok");
  const auto refused = sqlite::apply_schema("sqlite://" + path, origin(), schema());
  REQUIRE(!refused);
  CHECK_MESSAGE(says(refused.error().message, "the database's encoding is UTF-16le"),
                refused.error().message);
}

}  // namespace tributary::outbox_suite

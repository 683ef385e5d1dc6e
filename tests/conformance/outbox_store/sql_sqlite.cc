/// What other languages meet on SQLite: plain INSERTs, and the errors of the triggers.
#include <memory>

#include <tributary/crdt/types/register.h>
#include <tributary/outbox/sqlite.h>

#include "connectors/outbox/sqlite/outbox_store.h"
#include "connectors/outbox/sqlite/producer_session.h"
#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/shell_sqlite.h"

namespace tributary::outbox_suite {
TEST_CASE("a plain INSERT is completed with time, context and transaction") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  lead(*store);
  VersionVector seen;
  seen.raise(ActorId{3}, Seq{4});
  must(store->set_context(seen, Hlc{1}));
  const Shell shell(sqlite_path(*backend));
  CHECK(shell.insert(", amount", "'counter:a', 'counter', 'add', -9223372036854775807") == "ok");
  CHECK(shell.insert(", value", "'reg:a', 'register', 'set', 'é'") == "ok");
  CHECK(shell.insert(", value", "'reg:a', 'register', 'set', x'00ff'") == "ok");
  CHECK(shell.insert(", value", "'set:a', 'set', 'remove', 12") == "ok");
  CHECK(shell.insert(", value, context", "'set:a', 'set', 'remove', 'x', x'00'") == "ok");
  const auto rows = must(store->begin_seal({100}));
  REQUIRE(rows.size() == 5);
  CHECK(rows[0].amount == -9223372036854775807);
  CHECK(rows[1].value == "é");
  CHECK(rows[1].context.empty());
  CHECK(rows[2].value == std::string("\0\xff", 2));
  CHECK(rows[3].value == "12");
  CHECK(rows[3].context == seen.bytes());
  CHECK(rows[4].context == VersionVector{}.bytes());
  const auto now = static_cast<std::uint64_t>(SystemClock().wall().count());
  CHECK(rows[0].hlc.micros() > now - 60'000'000);
  CHECK(rows[0].hlc.micros() < now + 60'000'000);
  store->abort_seal();
}

TEST_CASE("the triggers refuse what the library refuses, and the transaction goes on") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  lead(*store);
  const Shell shell(sqlite_path(*backend));
  const auto refused = [&](const std::string& columns, const std::string& values,
                           const std::string& words) {
    const std::string message = shell.insert(columns, values);
    CHECK_MESSAGE(says(message, words), values << ": " << message);
  };
  CHECK(shell.run("BEGIN") == "ok");
  CHECK(shell.insert(", value", "'reg:first', 'register', 'set', '1'") == "ok");
  refused(", value", "'', 'register', 'set', '1'", "the key is empty");
  refused(", value", "NULL, 'register', 'set', '1'", "the key is NULL");
  refused(", value", "x'7265673a61', 'register', 'set', '1'", "not text");
  refused(", value", "'reg:x', NULL, 'set', '1'", "the type or the operation is NULL");
  refused(", value", "'reg:x', 'register', NULL, '1'", "the type or the operation is NULL");
  refused(", value", "'tributary:x', 'register', 'set', '1'", "keys that start with");
  refused(", value", "'nobody:x', 'register', 'set', '1'", "no keyspace matches");
  refused(", amount", "'reg:x', 'counter', 'add', 1", "another type");
  refused(", value", "'reg:x', 'register', 'put', '1'", "no such operation");
  refused("", "'reg:x', 'register', 'set'", "needs a value");
  refused(", value", "'reg:x', 'register', 'clear', '1'", "takes none");
  refused(", amount", "'counter:x', 'counter', 'add', NULL", "needs an amount");
  refused(", amount", "'counter:x', 'counter', 'add', 1.5", "not a 64-bit integer");
  refused(", amount", "'counter:x', 'counter', 'add', '3'", "not a 64-bit integer");
  refused(", amount", "'counter:x', 'counter', 'add', x'33'", "not a 64-bit integer");
  refused(", amount", "'counter:x', 'counter', 'add', 9007199254740994.0", "64-bit integer");
  refused(", amount", "'counter:x', 'counter', 'add', 9e999", "64-bit integer");
  refused(", amount", "'counter:x', 'counter', 'add', 9223372036854775808", "64-bit integer");
  refused(", amount", "'counter:x', 'counter', 'add', -9223372036854775808", "overflow");
  refused(", value", "'reg:' || hex(zeroblob(31)), 'register', 'set', '1'", "limits.key_bytes");
  refused(", value", "'reg:x', 'register', 'set', zeroblob(1001)", "limits.value_bytes");
  refused(", value, context", "'set:x', 'set', 'remove', '1', '00'", "not a blob");
  for (const char* wrong : {"x''", "x'01'", "x'0000'", "x'3030'", "x'80'", "zeroblob(500)"}) {
    refused(", value, context", std::string("'set:x', 'set', 'remove', '1', ") + wrong, "no token");
  }
  CHECK(shell.insert(", amount", "'counter:x', 'counter', 'add', 9223372036854775807") == "ok");
  refused(", amount", "'counter:x', 'counter', 'add', 1", "overflow");
  CHECK(shell.insert(", amount", "'counter:x', 'counter', 'add', -1") == "ok");
  CHECK(shell.run("COMMIT") == "ok");
  CHECK(seal_all(*store, Seq{0}) ==
        std::vector<std::string>{"reg:first", "counter:x", "counter:x"});
}

TEST_CASE("plain transactions that do not end their number are sealed together, never torn") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const Shell shell(sqlite_path(*backend));
  const std::string row =
      "INSERT INTO tributary_outbox (key, type, operation) VALUES ('reg:a', 'register', 'clear');";
  const std::string end = "UPDATE tributary_transaction SET number = number + 1;";
  CHECK(shell.run("BEGIN;" + row + row + "COMMIT;") == "ok");
  CHECK(shell.run("BEGIN;" + row + row + end + "COMMIT;") == "ok");
  CHECK(shell.run("BEGIN;" + row + row + row + end + "COMMIT;") == "ok");
  CHECK(shell.run("BEGIN;" + row + row + row + end + "ROLLBACK;") == "ok");
  write(*session, {register_::clear("reg:b"), register_::clear("reg:b")});
  CHECK(shell.run("BEGIN;" + row + "COMMIT;") == "ok");
  Seq after{0};
  for (const std::size_t expected : {4U, 3U, 2U, 1U}) {
    REQUIRE(must(store->begin_seal({1})).size() == expected);
    must(commit_batch(*store, after, expected));
    after.value += expected;
  }
}

TEST_CASE("a row with its own time, id or transaction is checked and numbered like all others") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  lead(*store);
  const Shell shell(sqlite_path(*backend));
  CHECK(says(shell.insert(", value, hlc", "'nobody:x', 'register', 'set', '1', 5"), "no keyspace"));
  CHECK(says(shell.insert(", amount, hlc", "'counter:x', 'counter', 'add', 1.5, 5"), "integer"));
  CHECK(shell.insert(", value, hlc, transaction_id, exact",
                     "'reg:a', 'register', 'set', '1', -1, 99, 1") == "ok");
  CHECK(shell.insert(", value", "'reg:b', 'register', 'set', '1'") == "ok");
  for (const char* id : {"-5", "0", "1", "2", "9223372036854775807", "5000000"}) {
    CHECK(says(shell.insert(", value, id", std::string("'reg:x', 'register', 'set', '1', ") + id),
               id[0] == '1' || id[0] == '2' ? "UNIQUE" : "leave out the id"));
    CHECK(shell.run("INSERT OR REPLACE INTO tributary_outbox (key, type, operation, value, id) "
                    "VALUES ('reg:x', 'register', 'set', '1', " +
                    std::string(id) + ")") != "ok");
  }
  CHECK(shell.insert(", value", "'reg:c', 'register', 'set', '1'") == "ok");
  const auto rows = must(store->begin_seal({10}));
  REQUIRE(rows.size() == 3);
  const auto now = static_cast<std::uint64_t>(SystemClock().wall().count());
  for (const OutboxRow& row : rows) {
    CHECK(row.transaction == rows[0].transaction);
    CHECK(row.hlc.micros() > now - 60'000'000);
    CHECK(row.hlc.micros() < now + 60'000'000);
    CHECK(!row.exact);
  }
  must(commit_batch(*store, Seq{0}, 3));
  CHECK(shell.insert(", value", "'reg:d', 'register', 'set', '1'") == "ok");
  CHECK(seal_all(*store, Seq{3}) == std::vector<std::string>{"reg:d"});
}

TEST_CASE("a real amount without a fraction is taken as the integer it is") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  lead(*store);
  const Shell shell(sqlite_path(*backend));
  CHECK(shell.insert(", amount", "'counter:x', 'counter', 'add', 3.0") == "ok");
  CHECK(shell.insert(", amount", "'counter:x', 'counter', 'add', -9007199254740991.0") == "ok");
  const auto rows = must(store->begin_seal({10}));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].amount == 3);
  CHECK(rows[1].amount == -9007199254740991);
  store->abort_seal();
}

TEST_CASE("the limits of a transaction hold for plain SQL, and across flushes of the library") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  Schema tight = schema();
  tight.limits.transaction_changes = 3;
  tight.limits.transaction_bytes = 30;
  must(sqlite::apply_schema(path, origin(), tight));
  const auto store = backend->open_store();
  lead(*store);
  const Shell shell(path);
  const std::string row =
      "INSERT INTO tributary_outbox (key, type, operation) VALUES ('reg:a', 'register', 'clear');";
  const std::string end = "UPDATE tributary_transaction SET number = number + 1;";
  CHECK(shell.run("BEGIN;" + row + row + row + end + "COMMIT") == "ok");
  CHECK(shell.run("BEGIN;" + row + row + row) == "ok");
  const std::string many = shell.run(row);
  CHECK(says(many, "limits.transaction_changes"));
  CHECK(says(many, "UPDATE tributary_transaction"));
  CHECK(shell.run("ROLLBACK") == "ok");
  CHECK(shell.run("BEGIN; SAVEPOINT s;" + row + row + row + "ROLLBACK TO s;" + row + end +
                  "COMMIT") == "ok");
  const std::string large = shell.insert(", value", "'reg:a', 'register', 'set', zeroblob(26)");
  CHECK(says(large, "limits.transaction_bytes"));
  CHECK(says(large, "UPDATE tributary_transaction"));
  CHECK(shell.insert(", value", "'reg:a', 'register', 'set', zeroblob(25)") == "ok");
  CHECK(says(shell.run(row), "limits.transaction_bytes"));
  // A seal ends the number as well.
  CHECK(seal_all(*store, Seq{0}).size() == 5);
  CHECK(shell.run("BEGIN;" + row + row + end + "COMMIT") == "ok");
  for (const char* wrong : {"number", "number - 1", "'x'", "9223372036854775807", "NULL"}) {
    CHECK(shell.run(std::string("UPDATE tributary_transaction SET number = ") + wrong) != "ok");
  }
  const auto session = backend->open_session();
  must(session->begin());
  Transaction tx(session->outbox());
  for (int i = 0; i < 3; ++i) must(tx.write(register_::clear("reg:a")));
  must(tx.flush());
  must(tx.write(register_::clear("reg:a")));
  const auto refused = tx.flush();
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::kInvalid);
  tx.clear();
  must(tx.commit());
  CHECK(seal_all(*store, Seq{5}).size() == 5);
}

TEST_CASE("a context time that nobody can have seen breaks no write") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  lead(*store);
  const Shell shell(sqlite_path(*backend));
  const auto now = static_cast<std::uint64_t>(SystemClock().wall().count());
  for (const char* absurd : {"-1", "-2", "(4102444800000000 << 12) + 1"}) {
    CHECK(shell.run(std::string("UPDATE tributary_context SET hlc = ") + absurd) == "ok");
    CHECK(shell.insert(", value", "'reg:a', 'register', 'set', '1'") == "ok");
    const Hlc hlc = must(store->begin_seal({10})).back().hlc;
    store->abort_seal();
    CHECK(hlc.micros() > now - 60'000'000);
    CHECK(hlc.micros() < now + 60'000'000);
    CHECK(must(store->lead()).context_hlc == Hlc{});
  }
}

TEST_CASE("a deferred constraint of the service keeps its transaction open, number and all") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  const auto store = backend->open_store();
  lead(*store);
  sqlite3* service = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &service) == SQLITE_OK);
  const auto run = [&](const char* sql) {
    CHECK(sqlite3_exec(service, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  };
  run("PRAGMA foreign_keys = ON; CREATE TABLE mine (id INTEGER PRIMARY KEY);"
      "CREATE TABLE yours (id REFERENCES mine DEFERRABLE INITIALLY DEFERRED)");
  {
    const auto outbox = must(sqlite::open_outbox(service));
    run("BEGIN IMMEDIATE; INSERT INTO yours VALUES (1)");
    Transaction tx(*outbox);
    must(tx.write(register_::clear("reg:a")));
    const auto done = tx.commit();
    REQUIRE(!done);
    CHECK(done.error().kind == ErrorKind::kInvalid);
    CHECK(says(done.error().message, "still open"));
    run("INSERT INTO mine VALUES (1)");
    must(tx.write(register_::clear("reg:b")));
    must(tx.commit());
  }
  sqlite3_close(service);
  const auto rows = must(store->begin_seal({10}));
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].transaction == rows[1].transaction);
  store->abort_seal();
}

TEST_CASE("keyspaces match in triggers as they match in the library") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const Shell shell(sqlite_path(*backend));
  for (const std::string key : {"odd_%[x]y", "odd_%[x]yz", "odd_%[x]", "oddx%[x]y", "odd_zz[x]y",
                                "odd_%xy", "odd_%[x]é", "reg:", "Reg:x", "reg"}) {
    const bool legal = type_of(schema(), key).has_value();
    const std::string said = shell.insert("", "'" + key + "', 'register', 'clear'");
    CHECK_MESSAGE((said == "ok") == legal, key << ": " << said);
  }
}

TEST_CASE("a SQLite file that is missing, or is no outbox, is told with what to do") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  for (const std::string& wrong : {path + ".missing", std::string("/nowhere/at/all")}) {
    const auto store = sqlite::open_outbox_store(wrong, origin());
    REQUIRE(!store);
    CHECK(store.error().kind == ErrorKind::kFatal);
    CHECK(says(store.error().message, "topology apply"));
  }
  const Shell empty(path + ".empty");
  CHECK(empty.run("CREATE TABLE mine (x)") == "ok");
  CHECK(says(sqlite::open_outbox_store(path + ".empty", origin()).error().message, "apply"));
  const auto session = sqlite::open_producer_session(path + ".empty");
  REQUIRE(!session);
  CHECK(session.error().kind == ErrorKind::kInvalid);
  const auto other = sqlite::apply_schema(path, {"shop-us"}, schema());
  REQUIRE(!other);
  CHECK(says(other.error().message, "origin \"shop-eu\""));
}

}  // namespace tributary::outbox_suite

/// What other languages meet on SQLite: plain INSERTs, and the errors of the triggers.
#include <memory>

#include "backend.h"
#include <sqlite3.h>

#include <tributary/connectors/sqlite/outbox_store.h>
#include <tributary/connectors/sqlite/producer_session.h>
#include <tributary/crdt/types/register.h>

namespace tributary::outbox_suite {
namespace {

/// "ok", or the error's message.
class Shell {
 public:
  explicit Shell(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &connection_) == SQLITE_OK);
    sqlite3_busy_timeout(connection_, 5000);
  }
  ~Shell() { sqlite3_close(connection_); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  std::string run(const std::string& sql) const {
    const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? "ok" : sqlite3_errmsg(connection_);
  }
  std::string insert(const std::string& columns, const std::string& values) const {
    return run("INSERT INTO tributary_outbox (key, type, operation" + columns + ") VALUES (" +
               values + ")");
  }

 private:
  sqlite3* connection_ = nullptr;
};

bool says(const std::string& message, const std::string& words) {
  return message.find(words) != std::string::npos;
}

}  // namespace

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
  refused(", value", "'tributary:x', 'register', 'set', '1'", "keys that start with");
  refused(", value", "'nobody:x', 'register', 'set', '1'", "no keyspace matches");
  refused(", amount", "'reg:x', 'counter', 'add', 1", "another type");
  refused(", value", "'reg:x', 'register', 'put', '1'", "no such operation");
  refused("", "'reg:x', 'register', 'set'", "needs a value");
  refused(", value", "'reg:x', 'register', 'clear', '1'", "takes none");
  refused(", amount", "'counter:x', 'counter', 'add', NULL", "needs an amount");
  refused(", amount", "'counter:x', 'counter', 'add', 1.5", "not a 64-bit integer");
  refused(", amount", "'counter:x', 'counter', 'add', 9223372036854775808", "64-bit integer");
  refused(", amount", "'counter:x', 'counter', 'add', -9223372036854775808", "overflow");
  refused(", value", "'reg:' || hex(zeroblob(31)), 'register', 'set', '1'", "limits.key_bytes");
  refused(", value", "'reg:x', 'register', 'set', zeroblob(1001)", "limits.value_bytes");
  refused(", value, context", "'set:x', 'set', 'remove', '1', '00'", "not a blob");
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

TEST_CASE("a copy of a SQLite outbox is told from the original") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  {
    const auto store = backend->open_store();
    lead(*store, ActorId{3});
  }
  const Shell shell(path);
  CHECK(shell.run("VACUUM INTO '" + path + ".copy'") == "ok");
  const auto copy = must(sqlite::open_outbox_store("sqlite://" + path + ".copy", origin()));
  const OriginRecord record = must(copy->lead());
  CHECK(record.actor == ActorId{3});
  CHECK(record.identity != record.current_identity);
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

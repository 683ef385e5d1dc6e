/// The SQLite file under a store: replaced, moved, deleted, copied, and left alone.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/outbox/sqlite.h>

#include "connectors/outbox/sqlite/outbox_store.h"
#include "connectors/outbox/sqlite/place.h"
#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/shell_sqlite.h"

namespace tributary::outbox_suite {
namespace {

using Keys = std::vector<std::string>;

std::unique_ptr<OutboxStore> open_at(const std::string& path) {
  return must(sqlite::open_outbox_store("sqlite://" + path, origin()));
}

/// The first error that an idle relay meets within a second; none: "".
Error idle_error(OutboxStore& store) {
  const Micros until = SystemClock().monotonic() + Micros{1'000'000};
  while (SystemClock().monotonic() < until) {
    const auto found = store.begin_seal({10});
    if (!found) return found.error();
    std::this_thread::sleep_for(Millis{20});
  }
  return {};
}

/// Changes with every write of another connection.
std::int64_t data_version(const Shell& shell) { return shell.number("PRAGMA data_version"); }

}  // namespace

TEST_CASE("a SQLite file that is replaced under an idle relay is noticed within a second") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  auto store = backend->open_store();
  lead(*store);
  CHECK(Shell(path).run("VACUUM INTO '" + path + ".backup'") == "ok");
  CHECK(must(store->begin_seal({10})).empty());
  for (const char* part : {"-wal", "-shm"}) std::filesystem::remove(path + part);
  std::filesystem::rename(path + ".backup", path);
  const Error error = idle_error(*store);
  CHECK(error.kind == ErrorKind::kTransient);
  CHECK(says(error.message, "the file was replaced"));
  CHECK(!store->confirm(ActorId{7}, Seq{1}, Micros{0}).has_value());
  store.reset();
  // What is written into the new file from now on is sealed, under the same actor.
  store = backend->open_store();
  const OriginRecord record = lead_soon(*store);
  CHECK(record.actor == ActorId{7});
  CHECK(record.identity == record.current_identity);
  write(*backend->open_session(), {register_::set("reg:a", "1")});
  CHECK(seal_all(*store, record.head_seq) == Keys{"reg:a"});
}

TEST_CASE("a seal of a SQLite file that was replaced meanwhile is not committed") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  const auto store = backend->open_store();
  lead(*store);
  write(*backend->open_session(), {register_::set("reg:a", "1")});
  REQUIRE(must(store->begin_seal({10})).size() == 1);
  CHECK(Shell(path).run("VACUUM INTO '" + path + ".backup'") == "ok");
  for (const char* part : {"-wal", "-shm"}) std::filesystem::remove(path + part);
  std::filesystem::rename(path + ".backup", path);
  CHECK(!commit_batch(*store, Seq{0}, 1).has_value());
  CHECK(must(open_at(path)->status()).depth == 1);
}

TEST_CASE("a SQLite file that is deleted is missed, and no new one is made") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  const auto store = backend->open_store();
  lead(*store);
  CHECK(must(store->begin_seal({10})).empty());
  std::filesystem::remove(path);
  const Error error = idle_error(*store);
  CHECK(error.kind == ErrorKind::kTransient);
  CHECK(says(error.message, "deleted or moved"));
  const auto again = sqlite::open_outbox_store(path, origin());
  REQUIRE(!again);
  CHECK(again.error().kind == ErrorKind::kFatal);
  CHECK(says(again.error().message, "topology apply"));
  CHECK(!std::filesystem::exists(path));
}

TEST_CASE("a symbolic link that is made to point to another SQLite file is noticed") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  const std::string link = path + ".link";
  std::filesystem::create_symlink(path, link);
  const auto store = open_at(link);
  lead(*store);
  // By whatever name, it is one outbox with one lease.
  CHECK(backend->open_store()->lead().error().kind == ErrorKind::kConflict);
  CHECK(must(store->begin_seal({10})).empty());
  CHECK(Shell(path).run("VACUUM INTO '" + path + ".other'") == "ok");
  std::filesystem::remove(link);
  std::filesystem::create_symlink(path + ".other", link);
  CHECK(says(idle_error(*store).message, "the file was replaced"));
}

TEST_CASE("a SQLite file keeps its identity when it is moved, or put back at its path") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  lead(*backend->open_store(), ActorId{3});
  std::filesystem::rename(path, path + ".moved");
  OriginRecord record = lead_soon(*open_at(path + ".moved"));
  CHECK(record.actor == ActorId{3});
  CHECK(record.identity == record.current_identity);
  CHECK(Shell(path + ".moved").run("VACUUM INTO '" + path + ".backup'") == "ok");
  std::filesystem::rename(path + ".backup", path + ".moved");
  record = lead_soon(*open_at(path + ".moved"));
  CHECK(record.identity == record.current_identity);
}

TEST_CASE("a copy of a SQLite outbox is told from the original, until it has minted") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  lead(*backend->open_store(), ActorId{3});
  CHECK(Shell(path).run("VACUUM INTO '" + path + ".copy'") == "ok");
  for (int starts = 0; starts < 2; ++starts) {
    const OriginRecord record = lead_soon(*open_at(path + ".copy"));
    CHECK(record.actor == ActorId{3});
    CHECK(record.identity != record.current_identity);
  }
  lead(*open_at(path + ".copy"), ActorId{4});
  OriginRecord record = lead_soon(*open_at(path + ".copy"));
  CHECK(record.identity == record.current_identity);
  record = lead_soon(*backend->open_store());
  CHECK(record.actor == ActorId{3});
  CHECK(record.identity == record.current_identity);
}

TEST_CASE("places tell a copy by its inode, and by path or machine") {
  CHECK(sqlite::is_copy("5 m /a/b", "6 m /a/c"));
  CHECK(sqlite::is_copy("5 m /a/b", "6 n /a/b"));
  CHECK(!sqlite::is_copy("5 m /a/b", "5 n /mnt/new place"));
  CHECK(!sqlite::is_copy("5 m /a/b", "6 m /a/b"));
  CHECK(!sqlite::is_copy("5  /a/b", "6 n /a/b"));
  CHECK(!sqlite::is_copy("", "6 n /a/b"));
  CHECK(sqlite::is_replacement("5 m /a/b", "6 m /a/b"));
  CHECK(!sqlite::is_replacement("5 m /a/b", "5 m /a/b"));
}

TEST_CASE("an idle relay writes nothing into a SQLite outbox, whatever it is told") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  lead(*store);
  VersionVector watermark;
  watermark.raise(ActorId{3}, Seq{4});
  const auto now = [] { return static_cast<std::uint64_t>(SystemClock().wall().count()); };
  must(store->set_context(watermark, Hlc::from_micros(now())));
  const Shell shell(sqlite_path(*backend));
  const std::int64_t before = data_version(shell);
  for (int beat = 0; beat < 30; ++beat) {
    CHECK(must(store->begin_seal({10})).empty());
    must(store->set_context(watermark, Hlc::from_micros(now())));
    std::this_thread::sleep_for(Millis{20});
  }
  CHECK(data_version(shell) == before);
  // An own change that came back tells writers nothing new, another's does.
  watermark.raise(ActorId{7}, Seq{1});
  must(store->set_context(watermark, Hlc::from_micros(now())));
  CHECK(data_version(shell) == before);
  watermark.raise(ActorId{3}, Seq{5});
  must(store->set_context(watermark, Hlc::from_micros(now())));
  CHECK(data_version(shell) != before);
}

TEST_CASE("a SQLite service that reads before it writes is not disturbed, and does not hold up") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, {register_::set("reg:a", "1")});
  CHECK(seal_all(*store, Seq{0}) == Keys{"reg:a"});
  const Shell shell(sqlite_path(*backend));
  const std::string insert =
      "INSERT INTO tributary_outbox (key, type, operation) VALUES ('reg:b', 'register', 'clear')";
  // The context and the confirmation wait, and are there soon all the same.
  CHECK(shell.run("BEGIN; SELECT count(*) FROM tributary_outbox") == "ok");
  VersionVector watermark;
  watermark.raise(ActorId{3}, Seq{4});
  must(store->set_context(watermark, Hlc{1}));
  must(store->confirm(ActorId{7}, Seq{1}, Micros{1'000'000'000}));
  CHECK(must(store->begin_seal({10})).empty());
  CHECK(shell.run(insert) == "ok");
  CHECK(shell.run("COMMIT") == "ok");
  const Micros started = SystemClock().monotonic();
  while (must(store->begin_seal({10})).empty()) std::this_thread::sleep_for(Millis{1});
  store->abort_seal();
  while (must(backend->open_store()->status()).confirmed_seq < Seq{1}) {
    static_cast<void>(must(store->begin_seal({10})));
    store->abort_seal();
    std::this_thread::sleep_for(Millis{1});
  }
  // Whoever reads for long is not waited for.
  CHECK(shell.run("BEGIN; SELECT count(*) FROM tributary_outbox") == "ok");
  Keys sealed;
  while (sealed.empty()) sealed = seal_all(*store, Seq{1});
  CHECK(sealed == Keys{"reg:b"});
  CHECK(SystemClock().monotonic() - started < Micros{5'000'000});
  CHECK(says(shell.run(insert), "locked"));
  CHECK(shell.run("ROLLBACK") == "ok");
}

TEST_CASE(
    "among SQLite services that read before they write there are few seals, and all is sealed") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const Shell shell(sqlite_path(*backend));
  CHECK(shell.run("BEGIN; SELECT count(*) FROM tributary_outbox") == "ok");
  std::size_t written = 0;
  std::size_t sealed = 0;
  int seals = 0;
  const auto seal = [&] {
    const auto keys = seal_all(*store, Seq{sealed});
    sealed += keys.size();
    if (!keys.empty()) ++seals;
  };
  const Micros started = SystemClock().monotonic();
  while (SystemClock().monotonic() - started < Micros{3'000'000}) {
    write(*session, {register_::set("reg:a", "1")});
    ++written;
    seal();
  }
  const Micros took = SystemClock().monotonic() - started;
  // A full batch waits for nobody, and on a fast machine there are some.
  CHECK(seals <= 2 + took / Micros{1'000'000} + static_cast<std::int64_t>(written / 1000));
  while (sealed < written) seal();
  CHECK(shell.run("COMMIT") == "ok");
}

TEST_CASE("tables of another version are refused, and nobody is told to throw anything away") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  const Shell shell(path);
  for (const int version : {1, 99}) {
    CHECK(shell.run("UPDATE tributary_origin SET schema_version = " + std::to_string(version)) ==
          "ok");
    for (const Error& error : {sqlite::apply_schema(path, origin(), schema()).error(),
                               sqlite::open_outbox_store(path, origin()).error()}) {
      CHECK(says(error.message, "version " + std::to_string(version)));
      CHECK(!says(error.message, "delete"));
      CHECK(!says(error.message, "remove"));
    }
  }
}

TEST_CASE("applying the same topology again writes nothing into a SQLite file") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  const Shell shell(path);
  const std::int64_t before = data_version(shell);
  must(sqlite::apply_schema(path, origin(), schema()));
  CHECK(data_version(shell) == before);
  Schema other = schema();
  other.limits.value_bytes = 77;
  must(sqlite::apply_schema(path, origin(), other));
  CHECK(must(backend->open_store()->schema()).schema.limits.value_bytes == 77);
  CHECK(shell.run("DROP TRIGGER tributary_check_change") == "ok");
  must(sqlite::apply_schema(path, origin(), other));
  CHECK(shell.number("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'") == 3);
}

TEST_CASE("after a full disk the kind of the error tells whether the SQLite transaction is open") {
  OUTBOX_SUITE_BACKEND(Sqlite);
  const std::string path = sqlite_path(*backend);
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &connection) == SQLITE_OK);
  const auto run = [&](const std::string& sql) {
    return sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  };
  CHECK(run("PRAGMA max_page_count = 1"));  // as many as there are
  {
    const auto outbox = must(sqlite::open_outbox(connection));
    Transaction tx(*outbox);
    CHECK(run("BEGIN IMMEDIATE"));
    must(tx.write(register_::set("reg:a", std::string(900, 'x'))));
    must(tx.write(register_::set("reg:b", std::string(900, 'x'))));
    must(tx.write(register_::set("reg:c", std::string(900, 'x'))));
    must(tx.write(register_::set("reg:d", std::string(900, 'x'))));
    must(tx.write(register_::set("reg:e", std::string(900, 'x'))));
    const auto full = tx.flush();
    REQUIRE(!full);
    const bool open = sqlite3_get_autocommit(connection) == 0;  // SQLite may have rolled back
    CHECK(full.error().kind == (open ? ErrorKind::kTransient : ErrorKind::kConflict));
    CHECK(says(full.error().message, "rolled back; try it again from its BEGIN") == !open);
    CHECK(says(full.error().message, "full"));
    if (open) CHECK(run("ROLLBACK"));

    CHECK(run("PRAGMA max_page_count = 100000"));
    CHECK(run("BEGIN IMMEDIATE"));
    must(tx.commit());  // it is still buffered
  }
  sqlite3_close(connection);
  const auto store = backend->open_store();
  lead(*store);
  CHECK(seal_all(*store, Seq{}) == Keys{"reg:a", "reg:b", "reg:c", "reg:d", "reg:e"});
}

}  // namespace tributary::outbox_suite

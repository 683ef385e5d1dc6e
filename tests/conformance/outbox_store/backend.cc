#include "tests/conformance/outbox_store/backend.h"

#include <cstdlib>
#include <optional>
#include <thread>

#include <libpq-fe.h>
#include <sqlite3.h>
#include <unistd.h>

#include "connectors/outbox/memory/outbox_store.h"
#include "connectors/outbox/postgres/outbox_store.h"
#include "connectors/outbox/postgres/producer_session.h"
#include "connectors/outbox/sqlite/outbox_store.h"
#include "connectors/outbox/sqlite/producer_session.h"
#include "tests/temporary_folder.h"

namespace tributary::outbox_suite {
namespace {

class MemoryBackend final : public Backend {
 public:
  std::unique_ptr<OutboxStore> open_store() override { return outbox_.open_store(); }
  std::unique_ptr<ProducerSession> open_session() override { return outbox_.open_session(); }
  void apply(const Schema& schema) override { outbox_.apply(schema); }
  bool concurrent_writers() const override { return true; }
  void save() override { saved_.emplace(outbox_.backup()); }
  void put_back() override { outbox_.restore_in_place(saved_.value()); }

 private:
  SystemClock clock_;
  memory::MemoryOutbox outbox_{origin(), schema(), clock_};
  std::optional<memory::OutboxBackup> saved_;
};

/// One database over another, page by page.
void copy_file(const std::string& from, const std::string& to) {
  sqlite3* source = nullptr;
  sqlite3* target = nullptr;
  REQUIRE(sqlite3_open(from.c_str(), &source) == SQLITE_OK);
  REQUIRE(sqlite3_open(to.c_str(), &target) == SQLITE_OK);
  sqlite3_busy_timeout(target, 5000);
  sqlite3_backup* backup = sqlite3_backup_init(target, "main", source, "main");
  REQUIRE(backup != nullptr);
  CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
  sqlite3_backup_finish(backup);
  sqlite3_close(source);
  sqlite3_close(target);
}

class SqliteBackend final : public Backend {
 public:
  SqliteBackend() { must(sqlite::apply_schema(url(), origin(), schema())); }
  std::unique_ptr<OutboxStore> open_store() override {
    return must(sqlite::open_outbox_store(url(), origin()));
  }
  std::unique_ptr<ProducerSession> open_session() override {
    return must(sqlite::open_producer_session(url()));
  }
  void apply(const Schema& schema) override {
    must(sqlite::apply_schema(url(), origin(), schema, Millis{5000}));
  }
  bool concurrent_writers() const override { return false; }
  void save() override { copy_file(path(), path() + ".saved"); }
  void put_back() override { copy_file(path() + ".saved", path()); }
  std::string path() const { return folder_ / "outbox.db"; }

 private:
  std::string url() const { return "sqlite://" + path(); }
  TemporaryFolder folder_;
};

void execute(const std::string& url, const std::string& sql) {
  PGconn* connection = PQconnectdb(url.c_str());
  PGresult* result = PQexec(connection, sql.c_str());
  const bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
  const std::string why = PQerrorMessage(connection);
  PQclear(result);
  PQfinish(connection);
  if (!ok) FAIL(sql << ": " << why);
}

/// One database a run, since making one takes a second; dropped when the run ends.
class Database {
 public:
  explicit Database(std::string server)
      : server_(std::move(server)), name_("tributary_test_" + std::to_string(getpid())) {
    execute(server_, "CREATE DATABASE " + name_ + " TEMPLATE template0 ENCODING 'UTF8'");
  }
  ~Database() { execute(server_, "DROP DATABASE " + name_ + " WITH (FORCE)"); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  /// The server's URL with the database's name replaced.
  std::string url() const { return server_.substr(0, server_.rfind('/') + 1) + name_; }

 private:
  std::string server_;
  std::string name_;
};

/// As docs/sql.md lists them.
constexpr const char* kGrants =
    "GRANT USAGE ON SCHEMA tributary TO tributary_test_shop, tributary_test_relay; "
    "GRANT INSERT, SELECT ON public.tributary_outbox TO tributary_test_shop; "
    "GRANT SELECT ON public.tributary_origin, public.tributary_context, public.tributary_counter, "
    "public.tributary_keyspace, public.tributary_limits, public.tributary_operation "
    "TO tributary_test_shop; "
    "GRANT SELECT, INSERT, DELETE ON public.tributary_outbox TO tributary_test_relay; "
    "GRANT SELECT, INSERT, UPDATE, DELETE ON public.tributary_batch, public.tributary_counter, "
    "public.tributary_parked TO tributary_test_relay; "
    "GRANT SELECT, UPDATE ON public.tributary_origin, public.tributary_context "
    "TO tributary_test_relay; "
    "GRANT SELECT, INSERT, UPDATE ON public.tributary_actor TO tributary_test_relay; "
    "GRANT SELECT, INSERT, DELETE ON public.tributary_discarded, public.tributary_told_context "
    "TO tributary_test_relay; "
    "GRANT SELECT, DELETE ON public.tributary_put_back TO tributary_test_relay; "
    "GRANT SELECT ON public.tributary_keyspace, public.tributary_limits, "
    "public.tributary_operation, public.tributary_schema TO tributary_test_relay";

constexpr const char* kRoles =
    "DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['shop', 'relay'] LOOP "
    "IF to_regrole('tributary_test_' || r) IS NULL THEN "
    "EXECUTE format('CREATE ROLE tributary_test_%s LOGIN', r); END IF; END LOOP; END $$";

/// `url` with another user, whom the test server lets in without a password.
std::string as_user(const std::string& url, const std::string& user) {
  const std::size_t start = url.find("//") + 2;
  return url.substr(0, start) + user + url.substr(url.find('@'));
}

class PostgresBackend final : public Backend {
 public:
  explicit PostgresBackend(const std::string& server) {
    static const Database database(server);
    url_ = database.url();
    execute(url_,
            "SET client_min_messages = warning; DROP SCHEMA IF EXISTS tributary CASCADE; "
            "DROP SCHEMA IF EXISTS saved CASCADE; "
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    must(postgres::apply_schema(url_, origin(), schema()));
    execute(url_, kRoles);
    execute(url_, std::string("GRANT USAGE ON SCHEMA public TO PUBLIC; ") + kGrants);
  }
  std::unique_ptr<OutboxStore> open_store() override {
    return must(postgres::open_outbox_store(as_user(url_, "tributary_test_relay"), origin()));
  }
  std::unique_ptr<ProducerSession> open_session() override {
    return must(postgres::open_producer_session(as_user(url_, "tributary_test_shop")));
  }
  std::unique_ptr<OutboxStore> open_owner() override {
    return must(postgres::open_outbox_store(url_, origin()));
  }
  void apply(const Schema& schema) override {
    must(postgres::apply_schema(url_, origin(), schema, Millis{5000}));
  }
  bool concurrent_writers() const override { return true; }
  void save() override {
    execute(url_,
            "DO $$ DECLARE t text; BEGIN CREATE SCHEMA saved; "
            "FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP "
            "EXECUTE format('CREATE TABLE saved.%I AS TABLE public.%I', t, t); "
            "END LOOP; END $$");
  }
  void put_back() override {
    execute(url_,
            "DO $$ DECLARE t text; BEGIN "
            "FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'saved' "
            "ORDER BY tablename LOOP "
            "EXECUTE format('TRUNCATE public.%I', t); "
            "EXECUTE format('INSERT INTO public.%I OVERRIDING SYSTEM VALUE "
            "TABLE saved.%I', t, t); END LOOP; END $$");
  }
  const std::string& url() const { return url_; }

 private:
  std::string url_;
};

}  // namespace

Schema schema() {
  Schema schema;
  schema.keyspaces = {{"counter:*", "counter"},
                      {"reg:*", "register"},
                      {"set:*", "set"},
                      {"odd_%[x]?*", "register"}};
  schema.limits.key_bytes = 64;
  schema.limits.value_bytes = 1000;
  return schema;
}

OriginName origin() { return {"shop-eu"}; }

std::unique_ptr<Backend> Memory::create() { return std::make_unique<MemoryBackend>(); }
std::unique_ptr<Backend> Sqlite::create() { return std::make_unique<SqliteBackend>(); }
std::unique_ptr<Backend> Postgres::create() {
  const char* url = std::getenv("TRIBUTARY_TEST_PG_URL");
  if (url != nullptr) return std::make_unique<PostgresBackend>(url);
  if (std::getenv("CI") != nullptr) FAIL("TRIBUTARY_TEST_PG_URL is not set");
  MESSAGE("skipped: TRIBUTARY_TEST_PG_URL is not set");
  return nullptr;
}

std::string sqlite_path(const Backend& backend) {
  return dynamic_cast<const SqliteBackend&>(backend).path();
}

std::string postgres_url(const Backend& backend) {
  return dynamic_cast<const PostgresBackend&>(backend).url();
}

void write(ProducerSession& session, std::vector<Change> changes) {
  must(session.begin());
  Transaction tx(session.outbox());
  for (Change& change : changes) must(tx.write(std::move(change)));
  must(tx.commit());
}

OriginRecord lead_soon(OutboxStore& store) {
  for (int tries = 0;; ++tries) {
    auto record = store.lead();
    const bool held = !record && record.error().kind == ErrorKind::kConflict;
    if (!held || tries == 500) return must(std::move(record));
    std::this_thread::sleep_for(Millis{10});
  }
}

OriginRecord lead(OutboxStore& store, ActorId actor) {
  OriginRecord record = lead_soon(store);
  if (record.actor != actor) must(store.mint({.actor = actor, .hlc = Hlc{}}));
  return record;
}

SealedBatch batch(Seq after, std::size_t count, ActorId actor) {
  const Seq last{after.value + count};
  return {actor, after.next(), last, "batch " + std::to_string(last.value)};
}

SealCommit sealing(std::span<const SealedBatch> batches, Hlc hlc) {
  return {.batches = batches,
          .hlc = hlc,
          .parked = {},
          .left = {},
          .totals = {},
          .totals_seq = std::nullopt};
}

Result<void> commit_batch(OutboxStore& store, Seq after, std::size_t count, ActorId actor) {
  const SealedBatch sealed = batch(after, count, actor);
  return store.commit_seal(sealing({&sealed, 1}, Hlc{sealed.last_seq.value}));
}

std::vector<SealedBatch> unconfirmed(OutboxStore& store) {
  return must(store.unconfirmed(0, {1000}));
}

std::vector<std::string> seal_all(OutboxStore& store, Seq after) {
  std::vector<std::string> keys;
  while (true) {
    const auto rows = must(store.begin_seal({1000}));
    if (rows.empty()) return keys;
    for (const OutboxRow& row : rows) keys.emplace_back(row.key);
    const std::size_t count = rows.size();
    must(commit_batch(store, after, count));
    after.value += count;
  }
}

}  // namespace tributary::outbox_suite

/// The database around the outbox on PostgreSQL: restores, poolers, languages, `topology apply`.
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>

#include "base/log.h"
#include "connectors/outbox/postgres/idle.h"
#include "connectors/outbox/postgres/outbox_store.h"
#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/psql.h"
#include "tests/unit/stderr_of.h"

namespace tributary::outbox_suite {
namespace {}  // namespace

TEST_CASE("a row of the origin that a restore put there is told from the relay's own") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Psql psql(postgres_url(*backend));
  const auto store = backend->open_store();
  lead(*store);
  CHECK(must(store->lead()).identity == must(store->lead()).current_identity);
  const std::string copy = "CREATE TEMP TABLE saved AS TABLE tributary_origin; ";
  const std::string insert = "INSERT INTO tributary_origin TABLE saved; DROP TABLE saved";
  for (const std::string& restore : {copy + "DELETE FROM tributary_origin; " + insert,
                                     std::string("UPDATE tributary_origin SET hlc = hlc")}) {
    CHECK(psql.run(restore) == "ok");
    const auto fenced = store->begin_seal({10});
    REQUIRE(!fenced);
    CHECK(fenced.error().kind == ErrorKind::kConflict);
    CHECK(says(fenced.error().message, "put back"));
    const OriginRecord record = must(store->lead());
    CHECK(record.identity != record.current_identity);
    CHECK(must(store->lead()).identity != must(store->lead()).current_identity);
    must(store->mint({.actor = ActorId{8}, .hlc = Hlc{}}));
    CHECK(must(store->lead()).identity == must(store->lead()).current_identity);
  }
}

TEST_CASE("rows that a restore puts back keep ids, transactions and tags, to be recognised") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, {register_::set("reg:a", "1"), counter::add("counter:a", 2)});
  const auto rows = must(store->begin_seal({10}));
  const std::vector<ConsumedRows> consumed{
      {rows[0].transaction, rows[0].id, rows[1].id, rows[0].tag}};
  store->abort_seal();
  backend->save();
  CHECK(seal_all(*store, Seq{0}).size() == 2);
  backend->put_back();
  must(store->lead());
  must(store->discard(consumed));
  CHECK(must(store->status()).depth == 0);
}

TEST_CASE("applying what is applied takes no lock, whatever is open") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const std::string url = postgres_url(*backend);
  const Psql writer(url);
  CHECK(writer.run("BEGIN; LOCK TABLE tributary_outbox, tributary_origin, tributary_batch "
                   "IN SHARE ROW EXCLUSIVE MODE") == "ok");
  const Micros start = SystemClock().monotonic();
  must(postgres::apply_schema(url, origin(), schema(), Millis{5000}));
  Schema wider = schema();
  wider.keyspaces.push_back({"more:*", "set"});
  must(postgres::apply_schema(url, origin(), wider, Millis{5000}));
  CHECK(SystemClock().monotonic() - start < Micros{3'000'000});
}

TEST_CASE("what the database sets for its sessions changes nothing of what apply does") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const std::string url = postgres_url(*backend);
  const Psql psql(url);
  CHECK(psql.run("SET client_encoding = 'UTF8'; DO $$ DECLARE each text; BEGIN "
                 "FOREACH each IN ARRAY ARRAY['client_encoding = LATIN1', "
                 "'standard_conforming_strings = off', 'statement_timeout = 1'] LOOP "
                 "EXECUTE format('ALTER DATABASE %I SET %s', current_database(), each); "
                 "END LOOP; END $$") == "ok");
  Schema wider = schema();
  wider.keyspaces.push_back({"k\u00e4:*", "set"});
  const auto applied = postgres::apply_schema(url, origin(), wider, Millis{5000});
  CHECK(psql.run("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET ALL', current_database()); "
                 "END $$") == "ok");
  must(applied);
  CHECK(psql.run("SELECT count(*) FROM public.tributary_keyspace WHERE pattern = 'k\u00e4:*'") ==
        "1");
}

TEST_CASE("apply that needs a lock lets writers through, and says who holds it") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const std::string url = postgres_url(*backend);
  const Psql holder(url);
  const Psql writer(url);
  CHECK(writer.run("DROP TRIGGER tributary_check_change ON tributary_outbox") == "ok");
  CHECK(holder.run("SET application_name = 'the-shop'; BEGIN; "
                   "INSERT INTO tributary_outbox (key, type, operation, hlc) "
                   "VALUES ('reg:a', 'register', 'clear', 1)") == "ok");
  Result<void> applied;
  std::thread applying(
      [&] { applied = postgres::apply_schema(url, origin(), schema(), Millis{3000}); });
  Micros slowest{0};
  for (int i = 0; i < 20; ++i) {
    const Micros start = SystemClock().monotonic();
    CHECK(writer.run("INSERT INTO tributary_outbox (key, type, operation, hlc) "
                     "VALUES ('reg:a', 'register', 'clear', 1)") == "ok");
    slowest = std::max(slowest, SystemClock().monotonic() - start);
    std::this_thread::sleep_for(Millis{50});
  }
  applying.join();
  CHECK_MESSAGE(slowest < Micros{1'000'000}, slowest.count() << " us");
  REQUIRE(!applied);
  CHECK(applied.error().kind == ErrorKind::kTransient);
  CHECK_MESSAGE(says(applied.error().message, "the-shop"), applied.error().message);
  CHECK(holder.run("COMMIT") == "ok");
  must(postgres::apply_schema(url, origin(), schema(), Millis{3000}));
  CHECK(says(writer.run("SELECT tributary.register_set('nobody:x', '1')"), "no keyspace matches"));
}

TEST_CASE("apply beside an open seal waits for no lock for which the seal would wait in turn") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const std::string url = postgres_url(*backend);
  const Psql psql(url);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  Seq sealed{0};
  for (const char* harm : {"DROP TRIGGER tributary_check_change ON tributary_outbox",
                           "DROP INDEX tributary_outbox_huge", "DROP TABLE tributary_limits"}) {
    CAPTURE(harm);
    write(*session, {counter::add("counter:a", 1)});
    CHECK(psql.run(harm) == "ok");
    REQUIRE(must(store->begin_seal({10})).size() == 1);
    std::atomic<bool> ended = false;
    Result<void> applied;
    std::thread applying([&] {
      applied = postgres::apply_schema(url, origin(), schema(), Millis{20'000});
      ended = true;
    });
    while (!ended && psql.run("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = "
                              "'Lock' AND datname = current_database() AND "
                              "application_name = 'tributary-topology'") == "0") {
    }
    const auto committed = commit_batch(*store, sealed, 1);
    applying.join();
    must(committed);
    must(applied);
    sealed = sealed.next();
  }
}

TEST_CASE("apply repairs what somebody dropped or changed") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const std::string url = postgres_url(*backend);
  const Psql psql(url);
  for (const char* harm :
       {"DROP FUNCTION tributary.set_add(text, text)", "DELETE FROM tributary_keyspace",
        "DROP INDEX tributary_outbox_huge", "DROP TABLE tributary_actor",
        "UPDATE tributary_limits SET value = 1", "DROP TABLE tributary_limits",
        "ALTER TABLE tributary_outbox DISABLE TRIGGER tributary_check_change",
        "CREATE OR REPLACE FUNCTION tributary.refuse(why text, advice text) RETURNS void LANGUAGE "
        "sql AS 'SELECT'"}) {
    CHECK(psql.run(harm) == "ok");
    must(postgres::apply_schema(url, origin(), schema()));
    CHECK_MESSAGE(says(psql.run("SELECT tributary.set_add('nobody:x', 'y')"), "no keyspace"), harm);
    CHECK(!says(psql.run("SELECT tributary.set_add('set:x', 'y')"), "ERROR"));
  }
  CHECK(psql.run("SELECT count(*) FROM tributary_actor") == "0");
}

TEST_CASE("tables of an earlier pre-release are left alone, and the advice loses nothing") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("DROP TABLE tributary_schema") == "ok");
  const auto refused = postgres::apply_schema(postgres_url(*backend), origin(), schema());
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::kInvalid);
  CHECK(says(refused.error().message, "earlier pre-release"));
  CHECK(!says(refused.error().message, "drop"));
}

TEST_CASE("polls that are slow are paused, to a tenth of the time and below a second") {
  postgres::PollPause fast;
  for (int i = 0; i < 5; ++i) CHECK(fast.after(Micros{2'000}) == Micros{0});
  CHECK(fast.after(Micros{600'000}) == Micros{0});  // once is chance
  postgres::PollPause slow;
  for (int i = 0; i < 2; ++i) CHECK(slow.after(Micros{30'000}) == Micros{0});
  CHECK(slow.after(Micros{40'000}) == Micros{270'000});
  for (int i = 0; i < 3; ++i) static_cast<void>(slow.after(Micros{560'000}));
  CHECK(slow.after(Micros{560'000}) == Micros{900'000});
  CHECK(slow.after(Micros{1'000}) == Micros{0});
}

TEST_CASE("who keeps the outbox from shrinking by an old snapshot is named, once") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Psql psql(postgres_url(*backend));
  const Psql analyst(postgres_url(*backend));
  const auto store = backend->open_store();
  lead(*store);
  CHECK(analyst.run("SET application_name = 'analyst'") == "ok");
  const std::string pid =
      analyst.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_backend_pid()");
  CHECK(psql.run("SET session_replication_role = replica; "
                 "INSERT INTO tributary_outbox (key, type, operation, amount, hlc) "
                 "SELECT 'counter:1', 'counter', 'add', 1, n FROM generate_series(1, 400000) n; "
                 "DELETE FROM tributary_outbox") == "ok");
  const auto looks = [&] {
    return stderr_of([&] {
      log::configure("suite", log::Level::kWarn, log::Format::kText);
      const Micros until = SystemClock().monotonic() + Micros{8'000'000};
      for (int i = 0; i < 2000 && SystemClock().monotonic() < until; ++i) {
        CHECK(must(store->begin_seal({10})).empty());
        std::this_thread::sleep_for(Millis{2});
      }
      log::configure("suite", log::Level::kOff, log::Format::kText);
    });
  };
  const std::string log = looks();
  CAPTURE(log);
  CHECK(times(log, "end whatever holds an old snapshot") == 1);
  CHECK(times(log, "pid " + pid + " (analyst) since ") == 1);
  CHECK(analyst.run("ROLLBACK") == "ok");
}

TEST_CASE("what a refused login was is decided by its code") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const std::string url = postgres_url(*backend);
  const Psql psql(url);
  const std::string host = url.substr(url.find('@'));
  const auto nobody =
      postgres::open_outbox_store("postgresql://nobody_of_that_name" + host, origin());
  REQUIRE(!nobody);
  CHECK(nobody.error().kind == ErrorKind::kFatal);
  CHECK(says(nobody.error().message, "28000"));
  CHECK(!says(nobody.error().message, ".c:"));
  const auto missing = postgres::open_outbox_store(url + "_not", origin());
  REQUIRE(!missing);
  CHECK(says(missing.error().message, "3D000"));
  const auto nowhere = postgres::open_outbox_store("postgresql://u@127.0.0.1:1/x", origin());
  REQUIRE(!nowhere);
  CHECK(nowhere.error().kind == ErrorKind::kTransient);
}

TEST_CASE("a missing privilege is named, and where all of them are listed") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  REQUIRE(psql.run("REVOKE SELECT ON public.tributary_batch FROM tributary_test_relay") == "ok");
  const auto refused = store->unconfirmed(0, {10, 1000});
  REQUIRE(!refused);
  CHECK(says(refused.error().message, "permission denied for table tributary_batch"));
  CHECK(says(refused.error().message, "grant this role what docs/sql.md lists"));
  CHECK(says(refused.error().message, "42501"));
}

}  // namespace tributary::outbox_suite

/// Contexts and transactions of PostgreSQL that last: what they have read does not go before them.
#include <memory>
#include <string>
#include <vector>

#include <tributary/crdt/types/set.h>

#include "connectors/outbox/postgres/context_sweep.h"
#include "outbox/batch/sealing.h"
#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/psql.h"

namespace tributary::outbox_suite {
namespace {

const std::string kRemove =
    "INSERT INTO tributary_outbox (key, type, operation, value) "
    "VALUES ('set:a', 'set', 'remove', 'x')";

VersionVector told(std::uint64_t seq) {
  VersionVector some;
  some.raise(ActorId{5}, Seq{seq});
  return some;
}

void tell(OutboxStore& store, std::uint64_t from, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) must(store.set_context(told(from + i), Hlc{}));
}

/// Another relay leads, which remembers nothing that it told.
void reopen(Backend& backend, std::unique_ptr<OutboxStore>& store) {
  store.reset();
  store = backend.open_store();
  lead(*store);
}

/// What the writer of the one row that waits had seen, as another relay reads it.
VersionVector taken(Backend& backend, std::unique_ptr<OutboxStore>& store) {
  reopen(backend, store);
  const auto rows = must(store->begin_seal({100}));
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].odd.empty());
  const auto context = VersionVector::from_bytes(rows[0].context);
  REQUIRE(context);
  VersionVector seen = *context;
  store->abort_seal();
  const Seq head = must(store->status()).head_seq;
  REQUIRE(must(store->begin_seal({100})).size() == 1);
  must(commit_batch(*store, head, 1));
  return seen;
}

}  // namespace

TEST_CASE("PostgreSQL: a transaction that stays open finds what it has read when it commits") {
  OUTBOX_SUITE_BACKEND(Postgres);
  auto store = backend->open_store();
  lead(*store);
  tell(*store, 1, 10);
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("BEGIN; " + kRemove) == "ok");
  tell(*store, 11, 1500);
  CHECK(psql.run("COMMIT") == "ok");
  CHECK(taken(*backend, store) == told(10));
}

TEST_CASE("PostgreSQL: … though its snapshot is older than its first change") {
  OUTBOX_SUITE_BACKEND(Postgres);
  auto store = backend->open_store();
  lead(*store);
  const auto session = backend->open_session();
  for (const std::uint64_t tells : {100, 400, 1500}) {
    CAPTURE(tells);
    tell(*store, 1, 10);
    const Psql psql(postgres_url(*backend));
    CHECK(psql.run("BEGIN ISOLATION LEVEL REPEATABLE READ; "
                   "DO $$ BEGIN PERFORM FROM tributary_origin; END $$") == "ok");
    tell(*store, 11, tells);
    CHECK(psql.run(kRemove) == "ok");
    tell(*store, 5000, 1500);
    CHECK(psql.run("COMMIT") == "ok");
    CHECK(taken(*backend, store) == told(10));
  }
}

TEST_CASE("PostgreSQL: … and when that is too old, what was seen of every key") {
  OUTBOX_SUITE_BACKEND(Postgres);
  auto store = backend->open_store();
  lead(*store);
  must(store->set_context({told(10), {{"set:b", {{ActorId{5}, Seq{7}}}}}}, Hlc{}));
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("BEGIN ISOLATION LEVEL REPEATABLE READ; "
                 "DO $$ BEGIN PERFORM FROM tributary_origin; END $$") == "ok");
  tell(*store, 11, 400);
  CHECK(psql.run(kRemove + "; COMMIT") == "ok");
  CHECK(taken(*backend, store) == told(7));
}

TEST_CASE("PostgreSQL: rows of a backup find their contexts, or are parked, never another's") {
  OUTBOX_SUITE_BACKEND(Postgres);
  auto store = backend->open_store();
  lead(*store);
  tell(*store, 1, 10);
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("CREATE TABLE kept AS TABLE tributary_told_context; BEGIN; " + kRemove + "; " +
                 kRemove + "; COMMIT; CREATE TABLE rows AS TABLE tributary_outbox") == "ok");
  CHECK(psql.run("DELETE FROM tributary_outbox") == "ok");
  tell(*store, 11, 1500);
  reopen(*backend, store);
  const std::string fill =
      "INSERT INTO tributary_outbox OVERRIDING SYSTEM VALUE SELECT * FROM rows ORDER BY id LIMIT 1 "
      "OFFSET ";
  SUBCASE("by the trigger") {}
  SUBCASE("with the triggers off") {
    CHECK(psql.run("SET session_replication_role = replica") == "ok");
  }
  CHECK(psql.run(fill + "1") == "ok");
  const auto rows = must(store->begin_seal({100}));
  REQUIRE(rows.size() == 1);
  CHECK_MESSAGE(says(rows[0].odd, "is not in the database"), rows[0].odd);
  const std::vector<ParkedRow> parked{{rows[0].id, rows[0].odd}};
  SealCommit commit = sealing({}, Hlc{5});
  commit.parked = parked;
  must(store->commit_seal(commit));
  CHECK(psql.run("INSERT INTO tributary_told_context OVERRIDING SYSTEM VALUE "
                 "TABLE kept ON CONFLICT DO NOTHING") == "ok");
  must(backend->open_owner()->retry_parked(must(store->parked(0, 1)).at(0).transaction));
  CHECK(taken(*backend, store) == told(10));
}

TEST_CASE("PostgreSQL: a row names no context but the one its writer was told") {
  OUTBOX_SUITE_BACKEND(Postgres);
  auto store = backend->open_store();
  lead(*store);
  tell(*store, 1, 10);
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("INSERT INTO tributary_outbox (key, type, operation, value, context_id) "
                 "SELECT 'set:a', 'set', 'remove', 'x', min(id) FROM tributary_told_context "
                 "WHERE number = 1") == "ok");
  CHECK(taken(*backend, store) == told(10));
}

TEST_CASE("PostgreSQL: contexts that must be kept fill a bound, and then come once a minute") {
  postgres::ContextSweep sweep;
  constexpr std::size_t kSize = std::size_t{1} << 20;
  const Micros minute = std::chrono::minutes(1);
  int told = 0;
  for (Micros now{0}; now < minute; now += Millis{50}) told += sweep.room(kSize, now) ? 1 : 0;
  CHECK(told == 64);
  CHECK(sweep.room(kSize, 2 * minute));
  CHECK(!sweep.room(kSize, 2 * minute + Millis{50}));
}

TEST_CASE("PostgreSQL: … the time all the same, and all at once when there is room again") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  const auto clock = [&] {
    return Psql(postgres_url(*backend)).run("SELECT hlc FROM tributary_context");
  };
  const auto kept = [&] {
    return std::stoi(
        Psql(postgres_url(*backend)).run("SELECT count(*) FROM tributary_told_context"));
  };
  CHECK(psql.run("BEGIN; " + kRemove) == "ok");
  VersionVector large;
  for (std::uint64_t actor = 1; actor <= 200'000; ++actor) large.raise(ActorId{actor}, Seq{1});
  const auto tell_large = [&](std::uint64_t seq) {
    large.raise(ActorId{5}, Seq{seq});
    must(store->set_context(large, Hlc{seq}));
  };
  std::uint64_t seq = 1;
  while (seq < 60) tell_large(++seq);
  const int full = kept();
  CHECK(full < 50);
  CHECK(clock() == "60");
  CHECK(psql.run("COMMIT") == "ok");
  while (seq < 140 && kept() <= full + 2) tell_large(++seq);
  CHECK(kept() > full + 2);
}

}  // namespace tributary::outbox_suite

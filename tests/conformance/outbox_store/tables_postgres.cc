/// A restore in PostgreSQL that empties and fills Tributary's tables one by one.
#include <algorithm>
#include <memory>

#include <tributary/crdt/types/register.h>

#include "connectors/outbox/postgres/outbox_store.h"
#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/psql.h"

namespace tributary::outbox_suite {
namespace {

/// In an order in which the origin's row comes before the rows, and the marks in between.
const std::vector<std::string> kTables{"actor",  "batch",  "context",  "counter",     "origin",
                                       "outbox", "parked", "put_back", "told_context"};

std::string empty(const std::string& table) { return "TRUNCATE public.tributary_" + table; }
std::string fill(const std::string& table) {
  return "INSERT INTO public.tributary_" + table +
         " OVERRIDING SYSTEM VALUE TABLE saved.tributary_" + table;
}

void check_waits(OutboxStore& store) {
  const auto sealed = store.begin_seal({10});
  REQUIRE(!sealed);
  const auto led = store.lead();
  REQUIRE(!led);
  CHECK(led.error().kind == ErrorKind::kTransient);
  CHECK_MESSAGE(says(led.error().message, "being put back"), led.error().message);
}

void check_led(OutboxStore& store) {
  const OriginRecord record = must(store.lead());
  CHECK(record.head_seq == Seq{1});
  CHECK(record.identity != record.current_identity);
  CHECK(seal_all(store, Seq{1}) == std::vector<std::string>{"reg:b"});
}

/// One row sealed and one waiting in the backup, and both sealed since.
std::unique_ptr<OutboxStore> prepare(Backend& backend) {
  auto store = backend.open_store();
  const auto session = backend.open_session();
  lead(*store);
  write(*session, {register_::set("reg:a", "1")});
  CHECK(seal_all(*store, Seq{0}).size() == 1);
  write(*session, {register_::set("reg:b", "1")});
  backend.save();
  CHECK(seal_all(*store, Seq{1}).size() == 1);
  return store;
}

}  // namespace

TEST_CASE("nobody leads while tables are put back one by one, in whatever order") {
  for (int order = 0; order < 3; ++order) {
    CAPTURE(order);
    OUTBOX_SUITE_BACKEND(Postgres);
    const auto store = prepare(*backend);
    const Psql psql(postgres_url(*backend));
    std::vector<std::string> tables = kTables;
    if (order == 1) std::ranges::reverse(tables);
    if (order == 2) std::ranges::rotate(tables, tables.begin() + 5);  // the marks third
    const std::size_t all = tables.size() - 1;  // the marks are no part of the outbox
    std::size_t there = 0;
    for (const std::string& table : tables) {
      CHECK(psql.run(empty(table)) == "ok");
      if (there > 0 && there < all) check_waits(*store);
      CHECK(psql.run(fill(table)) == "ok");
      if (table != "put_back") ++there;
      if (there > 0 && there < all) check_waits(*store);
    }
    check_led(*store);
  }
}

TEST_CASE("nobody leads while tables that were emptied at once are filled one by one") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = prepare(*backend);
  const Psql psql(postgres_url(*backend));
  std::string all;
  for (const std::string& table : kTables) {
    all += (all.empty() ? "TRUNCATE public.tributary_" : ", public.tributary_") + table;
  }
  CHECK(psql.run(all) == "ok");
  for (const std::string& table : kTables) {
    if (table != "put_back") check_waits(*store);
    CHECK(psql.run(fill(table)) == "ok");
  }
  check_led(*store);
}

TEST_CASE("a dump that has not come to its triggers is not restored yet") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto store = backend->open_store();
  lead(*store);
  const Psql psql(postgres_url(*backend));
  CHECK(psql.run("DROP TRIGGER tributary_emptied ON tributary_parked") == "ok");
  const auto led = store->lead();
  REQUIRE(!led);
  CHECK(led.error().kind == ErrorKind::kTransient);
  CHECK_MESSAGE(says(led.error().message, "tributary_parked"), led.error().message);
  must(postgres::apply_schema(postgres_url(*backend), origin(), schema()));
  must(store->lead());
}

}  // namespace tributary::outbox_suite

/// Which rows a seal takes, and in which order.
#include <limits>

#include "backend.h"

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>

namespace tributary::outbox_suite {
namespace {

std::vector<std::string> keys_of(std::span<const OutboxRow> rows) {
  std::vector<std::string> keys;
  for (const OutboxRow& row : rows) keys.emplace_back(row.key);
  return keys;
}

using Keys = std::vector<std::string>;

}  // namespace

TEST_CASE_TEMPLATE("a change is taken if and only if its transaction committed", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  CHECK(seal_all(*store, Seq{0}).empty());

  must(session->begin());
  must(session->outbox().insert(std::vector{register_::set("reg:lost", "1")}));
  CHECK(seal_all(*store, Seq{0}).empty());
  must(session->rollback());
  CHECK(seal_all(*store, Seq{0}).empty());

  must(session->begin());
  must(session->outbox().insert(std::vector{register_::set("reg:kept", "1")}));
  CHECK(seal_all(*store, Seq{0}).empty());
  must(session->outbox().commit());
  CHECK(seal_all(*store, Seq{0}) == Keys{"reg:kept"});
  CHECK(seal_all(*store, Seq{1}).empty());
}

TEST_CASE_TEMPLATE("a row comes back with every byte that was written", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const std::string binary("a\0b\xff\x80'\\\n", 8);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  VersionVector watermark;
  watermark.raise(ActorId{std::numeric_limits<std::uint64_t>::max()}, Seq{1ULL << 60});
  VersionVector exact;
  exact.raise(ActorId{5}, Seq{9});
  const Hlc seen{0x7fff000000003039};  // more than a double holds, and ahead of the clock
  must(store->set_context(watermark, seen));

  write(*session, {counter::add("counter:a", most), counter::add("counter:b", -most),
                   register_::set("reg:é\x01 '\"\\", binary), register_::set("reg:e", ""),
                   set::remove("set:a", binary), set::remove("set:b", "x", exact),
                   set::remove("set:c", "x", VersionVector{}), set::add("set:d", "x")});
  const auto rows = must(store->begin_seal({100}));
  REQUIRE(rows.size() == 8);
  CHECK(rows[0].amount == most);
  CHECK(rows[1].amount == -most);
  CHECK(rows[0].type == "counter");
  CHECK(rows[0].operation == "add");
  CHECK(rows[0].value.empty());
  CHECK(rows[0].context.empty());
  CHECK(rows[2].key == "reg:é\x01 '\"\\");
  CHECK(rows[2].value == binary);
  CHECK(rows[3].value.empty());
  CHECK(rows[4].value == binary);
  CHECK(rows[4].context == watermark.bytes());
  CHECK(rows[5].context == exact.bytes());
  CHECK(rows[6].context == VersionVector{}.bytes());
  CHECK(rows[7].context.empty());
  for (const OutboxRow& row : rows) {
    CHECK(row.hlc == Hlc{seen.value + 1});
    CHECK(row.transaction == rows[0].transaction);
    CHECK(row.id >= rows[0].id);
  }
  store->abort_seal();
}

TEST_CASE_TEMPLATE("a timestamp beyond 2^63 still counts as later than the clock", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const Hlc seen{(1ULL << 63) + 5};
  must(store->set_context({}, seen));
  write(*session, {register_::set("reg:a", "1")});
  CHECK(must(store->begin_seal({10}))[0].hlc == Hlc{seen.value + 1});
  store->abort_seal();
  must(store->set_context({}, Hlc{1}));
  write(*session, {register_::set("reg:b", "1")});
  const auto clock = static_cast<std::uint64_t>(SystemClock().wall().count());
  const std::uint64_t written = must(store->begin_seal({10}))[1].hlc.micros();
  CHECK(written + 60'000'000 > clock);
  CHECK(written < clock + 60'000'000);
  store->abort_seal();
}

TEST_CASE_TEMPLATE("a limit never cuts a transaction", Kind, Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  for (int tx = 0; tx < 6; ++tx) {
    std::vector<Change> changes;
    for (int i = 0; i < 5; ++i) changes.push_back(counter::add("counter:" + std::to_string(tx), 1));
    write(*session, std::move(changes));
  }
  Seq after{0};
  for (const std::size_t limit : {1U, 2U, 4U, 7U, 1000U}) {
    const auto rows = must(store->begin_seal({limit}));
    if (rows.empty()) break;
    CHECK(rows.size() % 5 == 0);
    CHECK(rows.size() <= std::max<std::size_t>(2 * limit, limit + 5));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      CHECK(rows[i].transaction == rows[i - i % 5].transaction);
      CHECK(rows[i].key == "counter:" + std::to_string((after.value + i) / 5));
    }
    const std::size_t count = rows.size();
    must(commit_batch(*store, after, count));
    after.value += count;
  }
  CHECK(after == Seq{30});
}

TEST_CASE_TEMPLATE("ids that commit out of order are all taken", Kind, Memory, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto early = backend->open_session();
  const auto late = backend->open_session();
  lead(*store);
  must(early->begin());
  must(early->outbox().insert(std::vector{register_::set("reg:early", "1")}));
  write(*late, {register_::set("reg:late", "1")});
  CHECK(seal_all(*store, Seq{0}) == Keys{"reg:late"});
  must(early->outbox().commit());
  CHECK(seal_all(*store, Seq{1}) == Keys{"reg:early"});
}

TEST_CASE_TEMPLATE("a transaction that reaches beyond the limit does not overtake", Kind, Memory,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto wide = backend->open_session();
  const auto narrow = backend->open_session();
  lead(*store);
  const auto insert = [](ProducerSession& session, const std::string& key) {
    must(session.outbox().insert(std::vector{register_::set(key, "1")}));
  };
  // ids: wide 1 · a 2 · b 3 · c 4 · d 5 · wide 6. Taking `wide` with the first four rows would put
  // its id 6 before d's id 5.
  must(wide->begin());
  insert(*wide, "reg:wide1");
  for (const char* key : {"reg:a", "reg:b", "reg:c", "reg:d"}) {
    write(*narrow, {register_::set(key, "1")});
  }
  insert(*wide, "reg:wide2");
  must(wide->outbox().commit());
  CHECK(keys_of(must(store->begin_seal({4}))) == Keys{"reg:a", "reg:b", "reg:c"});
  must(commit_batch(*store, Seq{0}, 3));
  CHECK(seal_all(*store, Seq{3}) == Keys{"reg:wide1", "reg:d", "reg:wide2"});
}

TEST_CASE_TEMPLATE("a seal that is aborted, or never ended, leaves its rows", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto session = backend->open_session();
  write(*session, {register_::set("reg:a", "1"), register_::set("reg:b", "2")});
  {
    const auto store = backend->open_store();
    lead(*store);
    CHECK(must(store->begin_seal({10})).size() == 2);
    store->abort_seal();
    CHECK(must(store->begin_seal({10})).size() == 2);
  }  // and now the relay dies
  const auto store = backend->open_store();
  CHECK(lead(*store).head_seq == Seq{0});
  CHECK(must(store->unconfirmed()).empty());
  CHECK(seal_all(*store, Seq{0}) == Keys{"reg:a", "reg:b"});
}

}  // namespace tributary::outbox_suite

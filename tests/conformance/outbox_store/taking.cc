/// Which rows a seal takes, and in which order.
#include <chrono>
#include <limits>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>

#include "tests/conformance/outbox_store/backend.h"

namespace tributary::outbox_suite {
namespace {

std::vector<std::string> keys_of(std::span<const OutboxRow> rows) {
  std::vector<std::string> keys;
  for (const OutboxRow& row : rows) keys.emplace_back(row.key);
  return keys;
}

using Keys = std::vector<std::string>;

constexpr Micros kYear{std::chrono::hours(24 * 365)};

/// That much later than now.
Hlc ahead(Micros by) {
  return Hlc::from_micros(static_cast<std::uint64_t>((SystemClock().wall() + by).count()));
}

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
  const Hlc seen{ahead(kYear).value + 3039};  // more than a double holds, and ahead of the clock
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
  for (std::size_t i = 0; i < rows.size(); ++i) CHECK(rows[i].exact == (i == 5 || i == 6));
  for (const OutboxRow& row : rows) {
    CHECK(row.hlc == Hlc{seen.value + 1});
    CHECK(row.transaction == rows[0].transaction);
    CHECK(row.id >= rows[0].id);
  }
  store->abort_seal();
}

TEST_CASE_TEMPLATE("what writers were ever told is remembered, though they are told less now", Kind,
                   Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto session = backend->open_session();
  const auto vector = [](std::uint64_t third, std::uint64_t fourth) {
    VersionVector some;
    some.raise(ActorId{3}, Seq{third});
    some.raise(ActorId{4}, Seq{fourth});
    return some;
  };
  const auto told = [&](OutboxStore& store, const VersionVector& watermark) {
    must(store.set_context(watermark, Hlc{}));
    write(*session, {set::remove("set:a", "x")});
    CHECK(must(store.begin_seal({100})).back().context == watermark.bytes());
    store.abort_seal();
    return lead_soon(store).told;
  };
  {
    const auto store = backend->open_store();
    CHECK(lead(*store).told == VersionVector{});
    CHECK(told(*store, vector(4, 0)) == vector(4, 0));
    CHECK(told(*store, vector(2, 1)) == vector(4, 1));  // the replica was lost, and is rebuilt
  }
  const auto store = backend->open_store();
  CHECK(lead(*store).told == vector(4, 1));
  CHECK(told(*store, vector(0, 3)) == vector(4, 3));
}

TEST_CASE_TEMPLATE("the time that writers are told never goes back, and no writer fails", Kind,
                   Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const auto written = [&] {
    write(*session, {register_::set("reg:a", "1")});
    const Hlc hlc = must(store->begin_seal({10})).back().hlc;
    store->abort_seal();
    return hlc;
  };
  VersionVector watermark;
  watermark.raise(ActorId{3}, Seq{4});
  const Hlc seen = ahead(kYear);
  must(store->set_context(watermark, seen));
  CHECK(must(store->lead()).context_hlc == seen);
  CHECK(written() == Hlc{seen.value + 1});
  must(store->set_context({}, Hlc{1}));
  CHECK(must(store->lead()).context_hlc == seen);
  CHECK(written() == Hlc{seen.value + 1});

  // Nobody has seen that: it is not obeyed anywhere.
  for (const Hlc absurd :
       {Hlc{kMaxHlc.value + 1}, Hlc{std::numeric_limits<std::uint64_t>::max()}}) {
    VersionVector raised = watermark;
    raised.raise(ActorId{4}, Seq{absurd.value & 0xffff});
    must(store->set_context(raised, absurd));
    CHECK(must(store->lead()).context_hlc == seen);
    CHECK(written() == Hlc{seen.value + 1});
    write(*session, {set::remove("set:a", "x")});
    const auto rows = must(store->begin_seal({100}));
    CHECK(rows.back().context == raised.bytes());
    store->abort_seal();
  }
}

TEST_CASE_TEMPLATE("whatever time was obeyed, a writer who has seen it beats it", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  VersionVector watermark;
  std::uint64_t seq = 0;
  const Hlc borders[] = {ahead(kYear),
                         ahead(11 * kYear),
                         Hlc{(1ULL << 63) - 1},
                         Hlc::from_micros(2'840'140'800'000'000),  // the year 2060
                         Hlc::from_micros(4'070'908'800'000'000),  // the year 2099
                         Hlc{kMaxHlc.value - 2}};
  for (const Hlc seen : borders) {
    watermark.raise(ActorId{3}, Seq{++seq});
    must(store->set_context(watermark, seen));
    CHECK(must(store->lead()).context_hlc == seen);
    write(*session, {register_::set("reg:a", "1")});
    CHECK(must(store->begin_seal({100})).back().hlc == Hlc{seen.value + 1});
    store->abort_seal();
  }
  // Where only a forger leads: as high as it goes, and no writer fails.
  watermark.raise(ActorId{3}, Seq{++seq});
  must(store->set_context(watermark, kMaxHlc));
  write(*session, {register_::set("reg:a", "1")});
  CHECK(must(store->begin_seal({100})).back().hlc == kMaxHlc);
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
  CHECK(unconfirmed(*store).empty());
  CHECK(seal_all(*store, Seq{0}) == Keys{"reg:a", "reg:b"});
}

}  // namespace tributary::outbox_suite

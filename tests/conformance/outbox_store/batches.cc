/// Batches, totals, parked rows, actors and status.
#include <limits>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>

#include "tests/conformance/outbox_store/backend.h"

namespace tributary::outbox_suite {
namespace {

constexpr Micros kLong{3'600'000'000};
constexpr ActorId kHuge{std::numeric_limits<std::uint64_t>::max()};

std::vector<std::uint64_t> firsts(const std::vector<SealedBatch>& batches) {
  std::vector<std::uint64_t> seqs;
  for (const SealedBatch& batch : batches) seqs.push_back(batch.first_seq.value);
  return seqs;
}

std::vector<std::uint64_t> retained(OutboxStore& store, Seq after, std::size_t most = 10) {
  return firsts(must(store.retained(after, {most})));
}

using Seqs = std::vector<std::uint64_t>;

/// Seals `count` batches of one change each.
void seal_each(OutboxStore& store, ProducerSession& session, std::uint64_t after, std::size_t count,
               ActorId actor) {
  for (std::uint64_t i = 0; i < count; ++i) {
    write(session, {counter::add("counter:a", 1)});
    must(store.begin_seal({10}));
    must(commit_batch(store, Seq{after + i}, 1, actor));
  }
}

/// Seals what is there as one change, with `totals` brought up to it.
void seal_totals(OutboxStore& store, std::span<const StoredTotals> totals, Seq seq, ActorId actor) {
  const SealedBatch sealed{actor, seq, seq, "bytes"};
  SealCommit commit = sealing({&sealed, 1}, Hlc{seq.value});
  commit.totals = totals;
  commit.totals_seq = seq;
  must(store.commit_seal(commit));
}

}  // namespace

TEST_CASE_TEMPLATE("a new outbox has no actor, and keeps the one it is given", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  {
    const auto store = backend->open_store();
    const OriginRecord fresh = must(store->lead());
    CHECK(fresh.name == origin());
    CHECK(!fresh.actor);
    CHECK(fresh.head_seq == Seq{0});
    CHECK(!fresh.current_identity.empty());
    CHECK(fresh.identity != fresh.current_identity);
    must(store->mint({.actor = kHuge, .hlc = Hlc{}}));
  }
  const auto store = backend->open_store();
  const OriginRecord record = lead_soon(*store);
  CHECK(record.actor == kHuge);
  CHECK(record.identity == record.current_identity);
  CHECK(record.leader_epoch == 2);
}

TEST_CASE_TEMPLATE("a sealed batch is unconfirmed, then retained, then forgotten", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store, kHuge);
  seal_each(*store, *session, 0, 4, kHuge);
  CHECK(firsts(unconfirmed(*store)) == Seqs{1, 2, 3, 4});
  CHECK(unconfirmed(*store)[3].bytes == "batch 4");
  CHECK(unconfirmed(*store)[3].actor == kHuge);

  must(store->confirm(kHuge, Seq{2}, kLong));
  CHECK(firsts(unconfirmed(*store)) == Seqs{3, 4});
  CHECK(retained(*store, Seq{0}) == Seqs{1, 2, 3, 4});
  CHECK(retained(*store, Seq{1}, 2) == Seqs{2, 3});
  CHECK(must(store->status()).confirmed_seq == Seq{2});

  // Not covered by the stored totals: must stay, however old.
  must(store->confirm(kHuge, Seq{3}, Micros{0}));
  must(store->confirm(kHuge, Seq{3}, Micros{0}));
  CHECK(retained(*store, Seq{0}) == Seqs{1, 2, 3, 4});

  write(*session, {counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  const std::vector<StoredTotals> totals{{"counter:a", "", {5, 0}}};
  seal_totals(*store, totals, Seq{5}, kHuge);
  must(store->confirm(kHuge, Seq{3}, kLong));
  CHECK(retained(*store, Seq{0}) == Seqs{1, 2, 3, 4, 5});
  must(store->confirm(kHuge, Seq{3}, Micros{0}));
  CHECK(retained(*store, Seq{0}) == Seqs{4, 5});
  CHECK(firsts(unconfirmed(*store)) == Seqs{4, 5});
}

TEST_CASE_TEMPLATE("what a seal wrote is what the next leader finds", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto session = backend->open_session();
  {
    const auto store = backend->open_store();
    lead(*store, kHuge);
    write(*session, {counter::add("counter:a", 1)});
    must(store->begin_seal({10}));
    const SealedBatch sealed{kHuge, Seq{1}, Seq{1}, std::string("\0\xff", 2)};
    must(store->commit_seal(
        sealing({&sealed, 1}, Hlc{std::numeric_limits<std::uint64_t>::max() - 1})));
  }
  const auto store = backend->open_store();
  const OriginRecord record = lead_soon(*store);
  CHECK(record.head_seq == Seq{1});
  CHECK(record.hlc == Hlc{std::numeric_limits<std::uint64_t>::max() - 1});
  CHECK(record.confirmed_seq == Seq{0});
  CHECK(record.totals_seq == Seq{0});
  CHECK(unconfirmed(*store)[0].bytes == std::string("\0\xff", 2));
}

TEST_CASE_TEMPLATE("totals are those last stored, and start again with a new actor", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store, kHuge);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const std::string field("f\0\xff", 3);
  const std::vector<TotalsKey> asked{{"counter:a", ""}, {"counter:b", field}, {"counter:c", ""}};

  write(*session, {counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  CHECK(must(store->load_totals(asked)).empty());
  std::vector<StoredTotals> totals{{"counter:a", "", {1, 2}}, {"counter:b", field, {most, 3}}};
  seal_totals(*store, totals, Seq{1}, kHuge);

  write(*session, {counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  auto loaded = must(store->load_totals(asked));
  REQUIRE(loaded.size() == 2);
  if (loaded[0].key != "counter:a") std::swap(loaded[0], loaded[1]);
  CHECK(loaded[0].totals == crdt::Totals{1, 2});
  CHECK(loaded[1].field == field);
  CHECK(loaded[1].totals == crdt::Totals{most, 3});
  totals.resize(1);
  totals[0].totals = {9, 2};
  seal_totals(*store, totals, Seq{2}, kHuge);

  write(*session, {counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  CHECK(must(store->load_totals(std::span(asked).first(1)))[0].totals == crdt::Totals{9, 2});
  store->abort_seal();
  CHECK(must(store->lead()).totals_seq == Seq{2});

  must(store->mint({.actor = ActorId{8}, .hlc = Hlc{}}));
  must(store->begin_seal({10}));
  CHECK(must(store->load_totals(asked)).empty());
  store->abort_seal();
  const OriginRecord record = lead_soon(*store);
  CHECK(record.actor == ActorId{8});
  CHECK(record.head_seq == Seq{0});
  CHECK(record.totals_seq == Seq{0});
  CHECK(record.hlc == Hlc{2});
  // The old actor's batches still wait to be published; they are no longer retained ones.
  CHECK(firsts(unconfirmed(*store)) == Seqs{1, 2});
  CHECK(retained(*store, Seq{0}).empty());
  must(store->confirm(kHuge, Seq{2}, kLong));
  CHECK(firsts(unconfirmed(*store)).empty());
  CHECK(must(store->status()).confirmed_seq == Seq{0});
}

TEST_CASE_TEMPLATE("one seal may make several batches, which come in pages", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store, kHuge);
  CHECK(must(store->unconfirmed(0, {10})).empty());
  write(*session, {counter::add("counter:a", 1), counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  std::vector<SealedBatch> sealed;
  for (std::uint64_t i = 0; i < 5; ++i) sealed.push_back(batch(Seq{i}, 1, kHuge));
  must(store->commit_seal(sealing(sealed, Hlc{9})));
  CHECK(must(store->status()).head_seq == Seq{5});

  Seqs all;
  std::int64_t after = 0;
  for (auto page = must(store->unconfirmed(0, {2})); !page.empty();
       page = must(store->unconfirmed(after, {2}))) {
    CHECK(page.size() <= 2);
    for (const SealedBatch& each : page) {
      CHECK(each.position > after);
      CHECK(each.bytes == "batch " + std::to_string(each.last_seq.value));
      after = each.position;
      all.push_back(each.first_seq.value);
    }
  }
  CHECK(all == Seqs{1, 2, 3, 4, 5});
  // A page has one batch at least, however large that is.
  CHECK(firsts(must(store->unconfirmed(0, {.rows = 10, .bytes = 1}))) == Seqs{1});
  CHECK(firsts(must(store->retained(Seq{3}, {.rows = 10, .bytes = 1}))) == Seqs{4});
  CHECK(must(store->retained(Seq{5}, {10})).empty());
}

TEST_CASE_TEMPLATE("totals that are saved alone let batches be forgotten", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store, kHuge);
  seal_each(*store, *session, 0, 3, kHuge);
  must(store->confirm(kHuge, Seq{3}, Micros{0}));
  must(store->confirm(kHuge, Seq{3}, Micros{0}));
  CHECK(retained(*store, Seq{0}) == Seqs{1, 2, 3});
  const std::vector<StoredTotals> totals{{"counter:a", "", {2, 0}}};
  must(store->save_totals(totals, Seq{2}));
  must(store->confirm(kHuge, Seq{3}, Micros{0}));
  CHECK(retained(*store, Seq{0}) == Seqs{3});
  must(store->save_totals({}, Seq{3}));
  must(store->confirm(kHuge, Seq{3}, Micros{0}));
  CHECK(retained(*store, Seq{0}).empty());
  const OriginRecord record = must(store->lead());
  CHECK(record.totals_seq == Seq{3});
  CHECK(record.head_seq == Seq{3});
  const std::vector<TotalsKey> asked{{"counter:a", ""}};
  write(*session, {counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  REQUIRE(must(store->load_totals(asked)).size() == 1);
  CHECK(must(store->load_totals(asked))[0].totals == crdt::Totals{2, 0});
  store->abort_seal();
}

TEST_CASE_TEMPLATE("a new actor's totals replace those of the one before", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store, kHuge);
  const std::vector<StoredTotals> old{{"counter:a", "", {50, 5}}, {"counter:b", "", {60, 6}}};
  write(*session, {counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  seal_totals(*store, old, Seq{1}, kHuge);
  must(store->mint({.actor = ActorId{8}, .hlc = Hlc{}}));

  const std::vector<StoredTotals> fresh{{"counter:a", "", {1, 0}}};
  write(*session, {counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  seal_totals(*store, fresh, Seq{1}, ActorId{8});
  must(store->confirm(ActorId{8}, Seq{1}, kLong));
  must(store->confirm(ActorId{8}, Seq{1}, kLong));
  write(*session, {counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  const std::vector<TotalsKey> asked{{"counter:a", ""}, {"counter:b", ""}};
  const auto loaded = must(store->load_totals(asked));
  REQUIRE(loaded.size() == 1);
  CHECK(loaded[0].totals == crdt::Totals{1, 0});
  store->abort_seal();
}

TEST_CASE_TEMPLATE("an origin remembers the actors it had, oldest first", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  lead(*store, kHuge);
  CHECK(must(store->lead()).former.empty());
  must(store->mint({.actor = ActorId{8}, .hlc = Hlc{500}, .former = {{kHuge, Seq{3}}}}));
  CHECK(must(store->lead()).hlc == Hlc{500});
  must(store->mint({.actor = ActorId{9},
                    .hlc = Hlc{400},
                    .former = {{ActorId{5}, Seq{1}}, {kHuge, Seq{7}}, {ActorId{8}, Seq{0}}}}));
  must(store->mint({.actor = ActorId{2}, .hlc = Hlc{1}, .former = {{kHuge, Seq{6}}}}));
  const std::vector<FormerActor> expected{
      {kHuge, Seq{6}}, {ActorId{5}, Seq{1}}, {ActorId{8}, Seq{0}}};  // as told last
  const OriginRecord record = must(store->lead());
  CHECK(record.former == expected);
  CHECK(record.hlc == Hlc{500});
  CHECK(record.actor == ActorId{2});
  CHECK(must(store->status()).former == expected);
}

TEST_CASE_TEMPLATE("status counts what waits, without leading", Kind, Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto onlooker = backend->open_store();
  CHECK(!must(onlooker->status()).actor);
  CHECK(must(onlooker->status()).oldest == Micros{0});
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store, kHuge);
  seal_each(*store, *session, 0, 3, kHuge);
  must(store->confirm(kHuge, Seq{1}, kLong));
  write(*session, {counter::add("counter:a", 1), counter::add("counter:a", 1)});
  const OutboxStatus status = must(onlooker->status());
  CHECK(status.actor == kHuge);
  CHECK(status.head_seq == Seq{3});
  CHECK(status.confirmed_seq == Seq{1});
  CHECK(status.unconfirmed == 2);
  CHECK(status.depth == 2);
  const Micros now = SystemClock().wall();
  CHECK(status.oldest > now - Micros{60'000'000});
  CHECK(status.oldest < now + Micros{60'000'000});
}

}  // namespace tributary::outbox_suite

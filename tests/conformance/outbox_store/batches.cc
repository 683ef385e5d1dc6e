/// Batches, totals, parked rows, actors and status.
#include <limits>

#include "backend.h"

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>

namespace tributary::outbox_suite {
namespace {

constexpr Micros kLong{3'600'000'000};
constexpr ActorId kHuge{std::numeric_limits<std::uint64_t>::max()};

std::vector<std::uint64_t> firsts(const Result<std::vector<SealedBatch>>& batches) {
  std::vector<std::uint64_t> seqs;
  for (const SealedBatch& batch : must(batches)) seqs.push_back(batch.first_seq.value);
  return seqs;
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

SealCommit with_totals(std::span<const StoredTotals> totals, Seq seq, ActorId actor) {
  return {.batch = SealedBatch{actor, seq, seq, "bytes"},
          .hlc = Hlc{seq.value},
          .parked = {},
          .totals = totals,
          .totals_seq = seq};
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
    must(store->mint(kHuge));
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
  CHECK(firsts(store->unconfirmed()) == Seqs{1, 2, 3, 4});
  CHECK(must(store->unconfirmed())[3].bytes == "batch 4");
  CHECK(must(store->unconfirmed())[3].actor == kHuge);

  must(store->confirm(kHuge, Seq{2}, kLong));
  CHECK(firsts(store->unconfirmed()) == Seqs{3, 4});
  CHECK(firsts(store->retained(Seq{0}, 10)) == Seqs{1, 2, 3, 4});
  CHECK(firsts(store->retained(Seq{1}, 2)) == Seqs{2, 3});
  CHECK(must(store->status()).confirmed_seq == Seq{2});

  // Not covered by the stored totals: must stay, however old.
  must(store->confirm(kHuge, Seq{3}, Micros{0}));
  must(store->confirm(kHuge, Seq{3}, Micros{0}));
  CHECK(firsts(store->retained(Seq{0}, 10)) == Seqs{1, 2, 3, 4});

  write(*session, {counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  const std::vector<StoredTotals> totals{{"counter:a", "", {5, 0}}};
  must(store->commit_seal(with_totals(totals, Seq{5}, kHuge)));
  must(store->confirm(kHuge, Seq{3}, kLong));
  CHECK(firsts(store->retained(Seq{0}, 10)) == Seqs{1, 2, 3, 4, 5});
  must(store->confirm(kHuge, Seq{3}, Micros{0}));
  CHECK(firsts(store->retained(Seq{0}, 10)) == Seqs{4, 5});
  CHECK(firsts(store->unconfirmed()) == Seqs{4, 5});
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
    const Seq seq{1};
    must(store->commit_seal({.batch = SealedBatch{kHuge, seq, seq, std::string("\0\xff", 2)},
                             .hlc = Hlc{std::numeric_limits<std::uint64_t>::max() - 1},
                             .parked = {},
                             .totals = {},
                             .totals_seq = std::nullopt}));
  }
  const auto store = backend->open_store();
  const OriginRecord record = lead_soon(*store);
  CHECK(record.head_seq == Seq{1});
  CHECK(record.hlc == Hlc{std::numeric_limits<std::uint64_t>::max() - 1});
  CHECK(record.confirmed_seq == Seq{0});
  CHECK(record.totals_seq == Seq{0});
  CHECK(must(store->unconfirmed())[0].bytes == std::string("\0\xff", 2));
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
  must(store->commit_seal(with_totals(totals, Seq{1}, kHuge)));

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
  must(store->commit_seal(with_totals(totals, Seq{2}, kHuge)));

  write(*session, {counter::add("counter:a", 1)});
  must(store->begin_seal({10}));
  CHECK(must(store->load_totals(std::span(asked).first(1)))[0].totals == crdt::Totals{9, 2});
  store->abort_seal();
  CHECK(must(store->lead()).totals_seq == Seq{2});

  must(store->mint(ActorId{8}));
  must(store->begin_seal({10}));
  CHECK(must(store->load_totals(asked)).empty());
  store->abort_seal();
  const OriginRecord record = lead_soon(*store);
  CHECK(record.actor == ActorId{8});
  CHECK(record.head_seq == Seq{0});
  CHECK(record.totals_seq == Seq{0});
  CHECK(record.hlc == Hlc{2});
  // The old actor's batches still wait to be published; they are no longer retained ones.
  CHECK(firsts(store->unconfirmed()) == Seqs{1, 2});
  CHECK(firsts(store->retained(Seq{0}, 10)).empty());
  must(store->confirm(kHuge, Seq{2}, kLong));
  CHECK(firsts(store->unconfirmed()).empty());
  CHECK(must(store->status()).confirmed_seq == Seq{0});
}

TEST_CASE_TEMPLATE("a parked row is set aside and never taken again", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session,
        {register_::set("reg:a", std::string("\0\xff", 2)), counter::add("counter:a", 1)});
  const auto rows = must(store->begin_seal({10}));
  // A reason may quote half a character of a key.
  const std::vector<ParkedRow> parked{{rows[0].id, "because \xc3"}, {rows[1].id, "it's so"}};
  must(store->commit_seal(
      {.batch = std::nullopt, .hlc = Hlc{5}, .parked = parked, .totals = {}, .totals_seq = {}}));
  CHECK(seal_all(*store, Seq{0}).empty());
  const OutboxStatus status = must(store->status());
  CHECK(status.parked == 2);
  CHECK(status.depth == 0);
  CHECK(status.head_seq == Seq{0});
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

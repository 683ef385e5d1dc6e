/// The digest of all that was sealed: it moves with the head, whatever moves that.
#include <tributary/crdt/types/counter.h>

#include "tests/conformance/outbox_store/backend.h"

namespace tributary::outbox_suite {
namespace {

constexpr ActorId kFormer{7};
constexpr ActorId kPresent{8};

/// What status and the next leader say.
HistoryDigest history(OutboxStore& store) {
  const HistoryDigest history = must(store.status()).history;
  CHECK(must(store.lead()).history == history);
  return history;
}

HistoryDigest of_last(OutboxStore& store) { return history_of(unconfirmed(store).back().bytes); }

void seal_one(OutboxStore& store, ProducerSession& session, Seq after, ActorId actor) {
  write(session, {counter::add("counter:a", 1)});
  REQUIRE(must(store.begin_seal({10})).size() == 1);
  must(commit_batch(store, after, 1, actor));
}

}  // namespace

TEST_CASE_TEMPLATE("the history is that of the last batch, whatever sealed it", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store, kFormer);
  CHECK_FALSE(history(*store).known());
  seal_one(*store, *session, Seq{0}, kFormer);
  const HistoryDigest first = history(*store);
  CHECK(first == of_last(*store));
  const std::int64_t position = unconfirmed(*store)[0].position;

  must(store->mint({.actor = kPresent, .hlc = Hlc{5}, .former_history = {~std::uint64_t{0}}}));
  CHECK_FALSE(history(*store).known());
  CHECK(must(store->lead()).former_history == HistoryDigest{~std::uint64_t{0}});
  CHECK(must(store->status()).former_history == HistoryDigest{~std::uint64_t{0}});
  seal_one(*store, *session, Seq{0}, kPresent);
  const HistoryDigest second = history(*store);
  CHECK(second == of_last(*store));

  SUBCASE("a seal of nothing leaves it") {
    write(*session, {counter::add("counter:a", 1)});
    const auto rows = must(store->begin_seal({10}));
    const ParkedRow parked{rows[0].id, "illegal"};
    SealCommit commit = sealing({}, Hlc{7});
    commit.parked = {&parked, 1};
    must(store->commit_seal(commit));
    CHECK(history(*store) == second);
  }
  SUBCASE("what replaces a batch") {
    const SealedBatch anew = batch(Seq{1}, 2, kPresent);
    must(store->reseal({.position = position, .batches = {&anew, 1}, .hlc = Hlc{6}}));
    CHECK(history(*store) == history_of(anew.bytes));
  }
  SUBCASE("what replaces nothing leaves it") {
    must(store->reseal({.position = position, .batches = {}, .hlc = Hlc{6}}));
    CHECK(history(*store) == second);
  }
  SUBCASE("what tells of discards") {
    const SealedBatch told = batch(Seq{1}, 1, kPresent);
    must(store->seal_discarded({}, told, Hlc{6}));
    CHECK(history(*store) == history_of(told.bytes));
  }
}

}  // namespace tributary::outbox_suite

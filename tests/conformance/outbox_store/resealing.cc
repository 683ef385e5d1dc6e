/// Sealed batches that can no longer be published: sealed anew, or set aside row by row.
#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>

#include "outbox/batch/batch_draft.h"
#include "outbox/batch/sealing.h"
#include "tests/conformance/outbox_store/backend.h"

namespace tributary::outbox_suite {
namespace {

constexpr ActorId kFormer{7};
constexpr ActorId kPresent{8};
constexpr std::int64_t kTransaction = (std::int64_t{1} << 62) + 77;
const Hlc kWritten = Hlc::from_micros(1'700'000'000'000'000);

/// One batch of a former actor is sealed and not confirmed; the value is its position.
std::int64_t one_in_vain(OutboxStore& store, ProducerSession& session) {
  lead(store, kFormer);
  write(session, {counter::add("counter:a", 1)});
  REQUIRE(must(store.begin_seal({10})).size() == 1);
  must(commit_batch(store, Seq{0}, 1, kFormer));
  must(store.mint({kPresent, Hlc{5}, {{kFormer, Seq{0}}}}));
  const auto batches = unconfirmed(store);
  REQUIRE(batches.size() == 1);
  return batches[0].position;
}

/// A counter's, a register's and a set's, as a batch of an earlier actor held them.
std::vector<UnsealedRow> rows_of_batch() {
  VersionVector seen;
  seen.raise(ActorId{5}, Seq{9});
  const UnsealedRow row{.id = 1,
                        .transaction = kTransaction,
                        .key = "counter:a",
                        .type = "counter",
                        .operation = "add",
                        .value = std::nullopt,
                        .amount = -4,
                        .hlc = kWritten,
                        .tag = 0xf00d'f00d'f00d'f00d};
  std::vector<UnsealedRow> rows(3, row);
  rows[1].id = 2;
  rows[1].key = "reg:a";
  rows[1].type = "register";
  rows[1].operation = "set";
  rows[1].value = std::string("\0\xff", 2);
  rows[1].amount.reset();
  rows[2] = rows[1];
  rows[2].id = 3;
  rows[2].key = "set:a";
  rows[2].type = "set";
  rows[2].operation = "remove";
  rows[2].context = std::make_shared<const std::string>(seen.bytes());
  rows[2].exact = true;
  return rows;
}

}  // namespace

TEST_CASE_TEMPLATE("what was sealed in vain is replaced by what follows the head", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  const std::int64_t position = one_in_vain(*store, *session);
  const std::vector<SealedBatch> anew{batch(Seq{0}, 1, kPresent), batch(Seq{1}, 2, kPresent)};
  must(store->reseal({.position = position, .batches = anew, .hlc = Hlc{6}}));
  const auto left = unconfirmed(*store);
  REQUIRE(left.size() == 2);
  CHECK(left[0].bytes == anew[0].bytes);
  CHECK(left[1].bytes == anew[1].bytes);
  CHECK(must(store->status()).head_seq == Seq{3});
  // It goes on from there; and what is gone cannot be replaced once more.
  write(*session, {counter::add("counter:a", 1)});
  REQUIRE(must(store->begin_seal({10})).size() == 1);
  must(commit_batch(*store, Seq{3}, 1, kPresent));
  const auto again = store->reseal({.position = position, .batches = {}, .hlc = Hlc{7}});
  REQUIRE(!again);
  CHECK(again.error().kind == ErrorKind::kConflict);
  CHECK(unconfirmed(*store).size() == 3);
}

TEST_CASE_TEMPLATE("what was sealed in vain is set aside, given back and known again", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  const std::int64_t position = one_in_vain(*store, *session);
  const auto rows = rows_of_batch();
  must(store->reseal(
      {.position = position, .batches = {}, .hlc = Hlc{6}, .parked = rows, .reason = "in doubt"}));
  CHECK(unconfirmed(*store).empty());
  CHECK(must(store->status()).head_seq == Seq{0});
  const auto parked = must(store->parked(0, 10));
  REQUIRE(parked.size() == 3);
  CHECK(parked[0].amount == -4);
  CHECK(parked[1].value == *rows[1].value);
  CHECK(parked[2].transaction == kTransaction);
  CHECK(parked[2].reason == "in doubt");

  CHECK(must(store->retry_parked(kTransaction)) == 3);
  const auto taken = must(store->begin_seal({10}));
  REQUIRE(taken.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(taken[i].key == rows[i].key);
    CHECK(taken[i].amount == rows[i].amount.value_or(0));
    CHECK(taken[i].value == rows[i].value.value_or(""));
    CHECK(taken[i].context == (rows[i].context ? *rows[i].context : ""));
    CHECK(taken[i].exact == rows[i].exact);
    CHECK(taken[i].tag == rows[i].tag);
    CHECK(taken[i].transaction == kTransaction);
    CHECK(taken[i].first_id() == rows[i].id);
  }
  store->abort_seal();
  const ConsumedRows consumed{kTransaction, 1, 3, rows[0].tag};
  must(store->discard({&consumed, 1}));
  CHECK(must(store->status()).depth == 0);
}

TEST_CASE_TEMPLATE("who does not lead any more seals nothing anew", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  const std::int64_t position = one_in_vain(*store, *session);
  backend->save();
  const SealedBatch anew = batch(Seq{0}, 1, kPresent);
  must(store->reseal({.position = position, .batches = {&anew, 1}, .hlc = Hlc{6}}));
  backend->put_back();
  const auto late = store->reseal({.position = position, .batches = {}, .hlc = Hlc{7}});
  CHECK(!late);
  CHECK(must(backend->open_store()->status()).unconfirmed == 1);
}

}  // namespace tributary::outbox_suite

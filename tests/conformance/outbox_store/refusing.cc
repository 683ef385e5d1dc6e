/// What a producer is refused, and that its transaction survives it.
#include <limits>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>

#include "tests/conformance/outbox_store/backend.h"

namespace tributary::outbox_suite {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE_TEMPLATE("a refused write leaves the transaction usable", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  must(session->begin());
  Transaction tx(session->outbox());
  const std::vector<Change> wrong{counter::add("reg:a", 1),
                                  counter::add("", 1),
                                  counter::add("nobody:a", 1),
                                  register_::set("tributary:a", "1"),
                                  set::add("set:a", std::string(1001, 'x')),
                                  counter::add("counter:a", std::int64_t{1} << 63),
                                  register_::set("reg:" + std::string(64, 'x'), "1")};
  for (const Change& change : wrong) {
    const auto refused = tx.write(change);
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::kInvalid);
  }
  must(tx.write(register_::set("reg:a", "1")));
  must(tx.commit());
  CHECK(seal_all(*store, Seq{0}) == std::vector<std::string>{"reg:a"});
}

TEST_CASE_TEMPLATE("an insert that fails writes none of its rows and harms nothing else", Kind,
                   Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  must(session->begin());
  must(session->outbox().insert(std::vector{register_::set("reg:first", "1")}));
  const std::string with_nul("reg:a\0b", 7);
  const auto refused = session->outbox().insert(
      std::vector{register_::set("reg:half", "1"), register_::set(with_nul, "1")});
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::kInvalid);
  must(session->outbox().insert(std::vector{register_::set("reg:last", "1")}));
  must(session->outbox().commit());
  CHECK(seal_all(*store, Seq{0}) == std::vector<std::string>{"reg:first", "reg:last"});
}

TEST_CASE("a key that is not UTF-8 is refused before PostgreSQL sees it") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const auto session = backend->open_session();
  must(session->begin());
  const auto refused = session->outbox().insert(std::vector{register_::set("reg:\xff\xfe", "1")});
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::kInvalid);
  must(session->outbox().insert(std::vector{register_::set("reg:a", "1")}));
  must(session->outbox().commit());
}

TEST_CASE_TEMPLATE("a write outside a transaction is refused", Kind, Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const auto refused = session->outbox().insert(std::vector{register_::set("reg:a", "1")});
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::kInvalid);
  CHECK(!session->outbox().commit());
  must(session->rollback());
  CHECK(seal_all(*store, Seq{0}).empty());
}

TEST_CASE_TEMPLATE("a counter cannot pass the end of its range at write", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, {counter::add("counter:a", kMost - 10)});
  const auto try_add = [&](std::int64_t amount) {
    must(session->begin());
    Transaction tx(session->outbox());
    must(tx.write(counter::add("counter:a", amount)));
    const auto done = tx.flush();
    must(session->rollback());
    if (!done) CHECK(done.error().kind == ErrorKind::kInvalid);
    return done.has_value();
  };
  // Pending: the row is committed and not yet sealed.
  CHECK(!try_add(11));
  CHECK(try_add(10));
  CHECK(try_add(-kMost));

  must(store->begin_seal({10}));
  const std::vector<StoredTotals> totals{{"counter:a", "", {kMost - 10, kMost - 5}}};
  const SealedBatch sealed = batch(Seq{0}, 1);
  SealCommit commit = sealing({&sealed, 1}, Hlc{1});
  commit.totals = totals;
  commit.totals_seq = Seq{1};
  must(store->commit_seal(commit));
  // Sealed: the totals are stored.
  CHECK(!try_add(11));
  CHECK(try_add(10));
  CHECK(!try_add(-6));
  CHECK(try_add(-5));
  must(session->begin());
  Transaction tx(session->outbox());
  must(tx.write(counter::add("counter:a", 11)));
  REQUIRE(!tx.flush());
  must(session->outbox().insert(std::vector{counter::add("counter:b", 1)}));
  must(session->outbox().commit());
  CHECK(seal_all(*store, Seq{1}) == std::vector<std::string>{"counter:b"});

  // A new actor counts from zero, whatever the one before had reached.
  must(store->mint({.actor = ActorId{8}, .hlc = Hlc{}, .former = {{ActorId{7}, Seq{2}}}}));
  CHECK(try_add(kMost));
}

}  // namespace tributary::outbox_suite

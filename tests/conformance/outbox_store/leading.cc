/// One leader at a time, and what happens when there are two after all.
#include <atomic>
#include <chrono>
#include <map>
#include <thread>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>

#include "tests/conformance/outbox_store/backend.h"

namespace tributary::outbox_suite {
namespace {

template <typename T>
void check_conflict(const Result<T>& result) {
  REQUIRE(!result);
  CHECK(result.error().kind == ErrorKind::kConflict);
}

/// SQLite has one write lock and hands it to whoever asks at the right moment: beside relays that
/// never pause a writer may come too late for seconds, is told kTransient, and asks again.
Result<void> begin_soon(ProducerSession& session) {
  const Micros until = SystemClock().monotonic() + Micros{120'000'000};
  auto begun = session.begin();
  while (!begun && begun.error().kind == ErrorKind::kTransient &&
         SystemClock().monotonic() < until) {
    begun = session.begin();
  }
  return begun;
}

/// A relay that does nothing but seal, until told to stop; counts what it sealed.
void seal_until(Backend& backend, const std::atomic<bool>& stop,
                std::map<std::string, int>& sealed) {
  while (true) {
    const bool last_round = stop;
    const auto store = backend.open_store();
    auto record = store->lead();
    if (!record) {
      std::this_thread::sleep_for(Millis{1});
      if (last_round && record.error().kind != ErrorKind::kConflict) return;
      continue;
    }
    Seq head = record->head_seq;
    for (int i = 0; i < 20 || last_round; ++i) {
      const auto rows = store->begin_seal({7});
      if (!rows) break;
      if (rows->empty()) {
        if (last_round) return;
        break;
      }
      std::vector<std::string> keys;
      for (const OutboxRow& row : *rows) keys.emplace_back(row.value);
      if (i % 5 == 4) {
        store->abort_seal();
        continue;
      }
      if (i % 3 == 2) static_cast<void>(store->release());  // go on as a zombie
      if (!commit_batch(*store, head, keys.size())) break;
      head.value += keys.size();
      for (const std::string& key : keys) ++sealed[key];
    }
  }
}

}  // namespace

TEST_CASE_TEMPLATE("only one relay leads, until it lets go or dies", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  auto first = backend->open_store();
  const auto second = backend->open_store();
  const std::uint64_t epoch = must(first->lead()).leader_epoch;
  check_conflict(second->lead());
  CHECK(must(first->lead()).leader_epoch > epoch);
  must(first->release());
  CHECK(must(second->lead()).leader_epoch > epoch + 1);
  check_conflict(first->lead());
  must(second->release());
  must(first->lead());
  first.reset();
  lead_soon(*second);
}

TEST_CASE_TEMPLATE("a relay that lost the lease can write nothing any more", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto zombie = backend->open_store();
  const auto leader = backend->open_store();
  const auto session = backend->open_session();
  lead(*zombie);
  write(*session, {register_::set("reg:a", "1")});
  must(zombie->begin_seal({10}));
  must(commit_batch(*zombie, Seq{0}, 1));
  write(*session, {register_::set("reg:b", "1")});
  must(zombie->release());
  must(leader->lead());
  VersionVector told;
  told.raise(ActorId{5}, Seq{2});
  must(leader->set_context(told, Hlc{6}));
  must(leader->status());  // SQLite's store writes it now
  check_conflict(zombie->begin_seal({10}));
  check_conflict(zombie->mint({.actor = ActorId{99}, .hlc = Hlc{}}));
  check_conflict(zombie->save_totals({}, Seq{1}));
  check_conflict(zombie->discard({}));
  check_conflict(zombie->set_aside("no"));
  check_conflict(zombie->confirm(ActorId{7}, Seq{1}, Micros{0}));
  VersionVector old;
  old.raise(ActorId{5}, Seq{1});
  check_conflict(zombie->set_context(old, Hlc{5}));
  CHECK(must(leader->lead()).told == told);
  CHECK(must(leader->status()).actor == ActorId{7});
  CHECK(unconfirmed(*leader).size() == 1);
  CHECK(seal_all(*leader, Seq{1}) == std::vector<std::string>{"reg:b"});
}

TEST_CASE_TEMPLATE("a seal that another leader interrupts is whole or not at all", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto zombie = backend->open_store();
  const auto leader = backend->open_store();
  const auto session = backend->open_session();
  lead(*zombie);
  write(*session, {register_::set("reg:a", "1"), register_::set("reg:b", "1")});
  must(zombie->begin_seal({10}));
  must(zombie->release());
  Result<OriginRecord> record;
  std::thread other([&] { record = leader->lead(); });
  std::this_thread::sleep_for(Millis{100});
  const auto sealed = commit_batch(*zombie, Seq{0}, 2);
  other.join();
  const OriginRecord found = must(record);
  if (!sealed) CHECK(sealed.error().kind == ErrorKind::kConflict);
  CHECK(found.head_seq == Seq{sealed ? 2U : 0U});
  CHECK(unconfirmed(*leader).size() == (sealed ? 1 : 0));
  CHECK(seal_all(*leader, found.head_seq).size() == (sealed ? 0 : 2));
}

TEST_CASE_TEMPLATE("two racing relays put every row into exactly one batch", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  lead(*backend->open_store());
  constexpr int kWriters = 3;
  constexpr int kTransactions = 60;
  std::atomic<bool> stop = false;
  std::atomic<int> failed = 0;
  std::vector<std::map<std::string, int>> sealed(2);
  std::vector<std::thread> relays;
  for (auto& mine : sealed) relays.emplace_back([&] { seal_until(*backend, stop, mine); });
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      const auto session = backend->open_session();
      for (int t = 0; t < kTransactions; ++t) {
        if (!begin_soon(*session)) ++failed;
        Transaction tx(session->outbox());
        for (int i = 0; i <= t % 4; ++i) {
          const std::string name =
              std::to_string(w) + "." + std::to_string(t) + "." + std::to_string(i);
          if (!tx.write(register_::set("reg:x", name))) ++failed;
          if (i % 2 == 1 && !tx.flush()) ++failed;
        }
        if (!tx.commit()) ++failed;
      }
    });
  }
  for (std::thread& each : writers) each.join();
  stop = true;
  for (std::thread& each : relays) each.join();
  CHECK(failed == 0);
  std::map<std::string, int> all;
  for (const auto& mine : sealed) {
    for (const auto& [name, times] : mine) all[name] += times;
  }
  CHECK(all.size() == kWriters * kTransactions * 10 / 4);
  for (const auto& [name, times] : all) CHECK_MESSAGE(times == 1, name);
  const auto store = backend->open_store();
  const OriginRecord record = lead_soon(*store);
  CHECK(record.head_seq == Seq{all.size()});
  std::uint64_t next = 1;
  for (const SealedBatch& batch : unconfirmed(*store)) {
    CHECK(batch.first_seq.value == next);
    next = batch.last_seq.value + 1;
  }
  CHECK(next == all.size() + 1);
}

namespace {

/// Whatever is fenced must find that the database was put back.
void check_fenced(OutboxStore& store) {
  check_conflict(store.begin_seal({10}));
  check_conflict(store.mint({.actor = ActorId{99}, .hlc = Hlc{}}));
  check_conflict(store.save_totals({}, Seq{1}));
  check_conflict(store.discard({}));
  check_conflict(store.set_aside("no"));
  check_conflict(store.confirm(ActorId{7}, Seq{1}, Micros{0}));
  check_conflict(store.set_context({}, Hlc{5}));
}

}  // namespace

TEST_CASE_TEMPLATE("a database put back under a running relay is noticed by its head", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, {register_::set("reg:a", "1")});
  CHECK(seal_all(*store, Seq{0}).size() == 1);
  write(*session, {register_::set("reg:b", "1")});
  backend->save();
  CHECK(seal_all(*store, Seq{1}).size() == 1);
  backend->put_back();
  check_fenced(*store);
  const OriginRecord found = must(store->lead());
  CHECK(found.head_seq == Seq{1});
  CHECK(seal_all(*store, Seq{1}) == std::vector<std::string>{"reg:b"});
}

TEST_CASE_TEMPLATE("a database put back under a running relay is noticed by its actor", Kind,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  lead(*store);
  backend->save();
  must(store->mint({.actor = ActorId{8}, .hlc = Hlc{}, .former = {{ActorId{7}, Seq{}}}}));
  backend->put_back();
  check_fenced(*store);
  const OriginRecord found = must(store->lead());
  CHECK(found.actor == ActorId{7});
  CHECK(found.former.empty());
}

// Else totals that the relay takes for stored are not, and batches stay unconfirmed for ever.
TEST_CASE_TEMPLATE("a database put back to before what is no seal is noticed, too", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, {counter::add("counter:a", 5)});
  CHECK(seal_all(*store, Seq{0}).size() == 1);
  SUBCASE("totals") {
    backend->save();
    must(store->save_totals({}, Seq{1}));
  }
  SUBCASE("a confirmation") {
    backend->save();
    must(store->confirm(ActorId{7}, Seq{1}, Micros{0}));
    must(store->status());  // what may wait is written by now
  }
  backend->put_back();
  check_fenced(*store);
  const OriginRecord found = must(store->lead());
  CHECK(found.head_seq == Seq{1});
  CHECK(found.totals_seq == Seq{});
  CHECK(found.confirmed_seq == Seq{});
}

TEST_CASE_TEMPLATE("who reads all that is to be published is told that the database was put back",
                   Kind, Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  backend->save();
  write(*session, {register_::set("reg:a", "1")});
  CHECK(seal_all(*store, Seq{0}).size() == 1);
  const auto page = must(store->unconfirmed(0, {10}));
  REQUIRE(page.size() == 1);
  CHECK(must(store->unconfirmed(page[0].position, {10})).empty());
  backend->put_back();
  check_conflict(store->unconfirmed(0, {10}));  // the batch is gone: nobody publishes it
}

TEST_CASE_TEMPLATE("an idle relay notices within a second that its database was put back", Kind,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  backend->save();
  write(*session, {register_::set("reg:a", "1")});
  CHECK(seal_all(*store, Seq{0}).size() == 1);
  for (int polls = 0; polls < 3; ++polls) CHECK(must(store->begin_seal({10})).empty());
  backend->put_back();
  const Micros until = SystemClock().monotonic() + Micros{1'500'000};
  auto found = store->begin_seal({10});
  while (found && SystemClock().monotonic() < until) {
    std::this_thread::sleep_for(Millis{20});
    found = store->begin_seal({10});
  }
  check_conflict(found);
}

}  // namespace tributary::outbox_suite

/// Rows that do not become changes: left for later, parked, set aside in doubt, and given back.
#include <algorithm>
#include <map>
#include <set>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>

#include "tests/conformance/outbox_store/backend.h"

namespace tributary::outbox_suite {
namespace {

using Keys = std::vector<std::string>;

Keys keys_of(std::span<const OutboxRow> rows) {
  Keys keys;
  for (const OutboxRow& row : rows) keys.emplace_back(row.key);
  return keys;
}

/// Commits the open seal with nothing but those rows parked.
void park(OutboxStore& store, std::span<const ParkedRow> parked) {
  SealCommit commit = sealing({}, Hlc{5});
  commit.parked = parked;
  must(store.commit_seal(commit));
}

}  // namespace

TEST_CASE_TEMPLATE("rows that are left stay as they are, for a later seal", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const std::string binary("\0\xff", 2);
  VersionVector seen;
  seen.raise(ActorId{5}, Seq{9});
  write(*session, {register_::set("reg:a", "1")});
  write(*session, {register_::set("reg:b", binary), set::remove("set:b", "x", seen)});
  write(*session, {register_::set("reg:c", "1")});
  const auto rows = must(store->begin_seal({10}));
  REQUIRE(rows.size() == 4);
  const std::int64_t id = rows[1].id;
  const std::int64_t transaction = rows[1].transaction;
  const Hlc hlc = rows[1].hlc;
  const std::vector<std::int64_t> left{rows[1].id, rows[2].id};
  const SealedBatch sealed = batch(Seq{0}, 2);
  SealCommit commit = sealing({&sealed, 1}, Hlc{5});
  commit.left = left;
  must(store->commit_seal(commit));
  CHECK(must(store->status()).head_seq == Seq{2});
  CHECK(must(store->status()).depth == 2);

  write(*session, {register_::set("reg:d", "1")});
  const auto again = must(store->begin_seal({10}));
  CHECK(keys_of(again) == Keys{"reg:b", "set:b", "reg:d"});
  CHECK(again[0].id == id);
  CHECK(again[0].transaction == transaction);
  CHECK(again[1].transaction == transaction);
  CHECK(again[0].hlc == hlc);
  CHECK(again[0].value == binary);
  CHECK(again[1].context == seen.bytes());
  CHECK(again[1].exact);
  const std::vector<std::int64_t> all{again[0].id, again[1].id, again[2].id};
  SealCommit nothing = sealing({}, Hlc{6});
  nothing.left = all;
  must(store->commit_seal(nothing));
  CHECK(must(store->lead()).hlc == Hlc{6});
  CHECK(must(store->lead()).head_seq == Seq{2});
  CHECK(seal_all(*store, Seq{2}) == Keys{"reg:b", "set:b", "reg:d"});
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
  park(*store, std::vector<ParkedRow>{{rows[0].id, "because \xc3"}, {rows[1].id, "it's so"}});
  CHECK(seal_all(*store, Seq{0}).empty());
  const OutboxStatus status = must(store->status());
  CHECK(status.parked == 2);
  CHECK(status.depth == 0);
  CHECK(status.head_seq == Seq{0});
}

TEST_CASE_TEMPLATE("one seal parks, leaves and seals, each what it is told", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  for (const char* key : {"reg:parked", "reg:left", "reg:sealed"}) {
    write(*session, {register_::set(key, "1")});
  }
  const auto rows = must(store->begin_seal({10}));
  REQUIRE(rows.size() == 3);
  const std::vector<ParkedRow> parked{{rows[0].id, "so"}};
  const std::vector<std::int64_t> left{rows[1].id};
  const SealedBatch sealed = batch(Seq{0}, 1);
  SealCommit commit = sealing({&sealed, 1}, Hlc{5});
  commit.parked = parked;
  commit.left = left;
  must(store->commit_seal(commit));
  CHECK(must(store->parked(0, 10)).size() == 1);
  CHECK(unconfirmed(*store).size() == 1);
  CHECK(seal_all(*store, Seq{1}) == Keys{"reg:left"});
}

TEST_CASE_TEMPLATE("what is parked is shown in pages, with its reason", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  const std::string binary("\0\xff", 2);
  write(*session, {register_::set("reg:a", binary), counter::add("counter:a", -3)});
  write(*session, {register_::clear("reg:b")});
  const auto rows = must(store->begin_seal({10}));
  const std::int64_t first = rows[0].transaction;
  const std::int64_t second = rows[2].transaction;
  const Hlc hlc = rows[0].hlc;
  park(*store,
       std::vector<ParkedRow>{{rows[0].id, "one"}, {rows[1].id, "two"}, {rows[2].id, "three"}});
  const auto onlooker = backend->open_store();
  const auto shown = must(onlooker->parked(0, 2));
  REQUIRE(shown.size() == 2);
  CHECK(shown[0].key == "reg:a");
  CHECK(shown[0].type == "register");
  CHECK(shown[0].operation == "set");
  CHECK(shown[0].value == binary);
  CHECK(shown[0].reason == "one");
  CHECK(shown[0].hlc == hlc);
  CHECK(shown[0].parked_at > SystemClock().wall() - Micros{60'000'000});
  CHECK(shown[0].parked_at < SystemClock().wall() + Micros{60'000'000});
  CHECK(shown[1].amount == -3);
  CHECK(shown[0].transaction == first);
  CHECK(shown[1].position > shown[0].position);
  const auto rest = must(onlooker->parked(shown[1].position, 2));
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].transaction == second);
  CHECK(must(onlooker->parked(rest[0].position, 2)).empty());
}

TEST_CASE_TEMPLATE("a parked transaction is retried whole, as it was written", Kind, Memory, Sqlite,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  VersionVector watermark;
  watermark.raise(ActorId{3}, Seq{4});
  must(store->set_context(watermark, Hlc{1}));
  VersionVector exact;
  exact.raise(ActorId{5}, Seq{9});
  write(*session,
        {register_::set("reg:a", ""), register_::clear("reg:a"), set::remove("set:a", "x"),
         set::remove("set:a", "y", exact), counter::add("counter:a", 0)});
  write(*session, {register_::set("reg:b", "1")});
  const auto rows = must(store->begin_seal({10}));
  REQUIRE(rows.size() == 6);
  const std::int64_t transaction = rows[0].transaction;
  const std::int64_t other = rows[5].transaction;
  std::vector<Hlc> hlcs;
  std::vector<ParkedRow> parked;
  for (const OutboxRow& row : rows) {
    hlcs.push_back(row.hlc);
    parked.push_back({row.id, "so"});
  }
  park(*store, parked);
  must(store->set_context({}, Hlc{2}));
  write(*session, {register_::set("reg:c", "1")});

  const auto onlooker = backend->open_store();
  CHECK(must(onlooker->retry_parked(transaction)) == 5);
  CHECK(must(store->status()).parked == 1);
  const auto again = must(store->begin_seal({10}));
  CHECK(keys_of(again) == Keys{"reg:c", "reg:a", "reg:a", "set:a", "set:a", "counter:a"});
  for (std::size_t i = 1; i < again.size(); ++i) {
    CHECK(again[i].transaction == transaction);
    CHECK(again[i].hlc == hlcs[i - 1]);
  }
  CHECK(again[1].operation == "set");
  CHECK(again[2].operation == "clear");
  CHECK(again[3].context == watermark.bytes());
  CHECK(!again[3].exact);
  CHECK(again[4].context == exact.bytes());
  CHECK(again[4].exact);
  store->abort_seal();

  const auto twice = onlooker->retry_parked(transaction);
  REQUIRE(!twice);
  CHECK(twice.error().kind == ErrorKind::kInvalid);
  CHECK(must(onlooker->discard_parked(other)) == 1);
  CHECK(must(store->status()).parked == 0);
  const auto gone = onlooker->discard_parked(other);
  REQUIRE(!gone);
  CHECK(gone.error().kind == ErrorKind::kInvalid);
  CHECK(seal_all(*store, Seq{0}).size() == 6);
}

TEST_CASE_TEMPLATE("what was parked is given back whatever the limits are by now", Kind, Memory,
                   Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  write(*session, std::vector<Change>(5, register_::set("reg:a", "a value")));
  CHECK(must(store->set_aside("doubt")) == 5);
  const std::int64_t transaction = must(store->parked(0, 1)).at(0).transaction;
  Schema narrow = schema();
  SUBCASE("of changes") { narrow.limits.transaction_changes = 2; }
  SUBCASE("of bytes") { narrow.limits.transaction_bytes = 20; }
  backend->apply(narrow);
  CHECK(must(backend->open_owner()->retry_parked(transaction)) == 5);
  CHECK(must(store->begin_seal({10})).size() == 5);
}

TEST_CASE_TEMPLATE("rows in doubt are set aside, all that are committed and no other", Kind, Memory,
                   Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  const auto late = backend->open_session();
  lead(*store);
  CHECK(must(store->set_aside("no")) == 0);
  write(*session, {register_::set("reg:a", "1"), register_::set("reg:b", "1")});
  must(late->begin());
  must(late->outbox().insert(std::vector{register_::set("reg:late", "1")}));
  write(*session, {counter::add("counter:a", 5)});
  CHECK(must(store->set_aside("the backup may hold it already")) == 3);
  CHECK(seal_all(*store, Seq{0}).empty());
  const auto shown = must(store->parked(0, 10));
  REQUIRE(shown.size() == 3);
  CHECK(shown[0].reason == "the backup may hold it already");
  CHECK(shown[0].key == "reg:a");
  CHECK(shown[2].amount == 5);
  must(late->outbox().commit());
  CHECK(seal_all(*store, Seq{0}) == Keys{"reg:late"});
  CHECK(must(store->retry_parked(shown[0].transaction)) == 2);
  CHECK(seal_all(*store, Seq{1}) == Keys{"reg:a", "reg:b"});
}

TEST_CASE_TEMPLATE("a whole outbox is set aside in steps", Kind, Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  const auto session = backend->open_session();
  lead(*store);
  for (int tx = 0; tx < 30; ++tx) {
    std::vector<Change> changes(1000, counter::add("counter:a", 1));
    write(*session, std::move(changes));
  }
  CHECK(must(store->set_aside("doubt")) == 30'000);
  CHECK(must(store->status()).parked == 30'000);
  CHECK(must(store->status()).depth == 0);
  std::map<std::int64_t, int> transactions;
  std::int64_t after = 0;
  for (auto page = must(store->parked(0, 7000)); !page.empty();
       page = must(store->parked(after, 7000))) {
    for (const ParkedChange& each : page) ++transactions[each.transaction];
    after = page.back().position;
  }
  CHECK(transactions.size() == 30);
  for (const auto& [transaction, rows] : transactions) CHECK(rows == 1000);
}

TEST_CASE_TEMPLATE("the keyspaces of all times are remembered", Kind, Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto ever = [&] {
    std::set<std::pair<std::string, std::string>> all;
    for (const Keyspace& each : must(backend->open_owner()->keyspaces_ever())) {
      all.emplace(each.pattern, each.type);
    }
    return all;
  };
  const auto before = ever();
  CHECK(before.size() == schema().keyspaces.size());
  CHECK(before.contains({"set:*", "set"}));
  backend->apply({{{"set:*", "counter"}}, {}});
  backend->apply({{{"it's*", "register"}}, {}});
  auto wanted = before;
  wanted.insert({{"set:*", "counter"}, {"it's*", "register"}});
  CHECK(ever() == wanted);
  backend->apply(schema());
  CHECK(ever() == wanted);
}

TEST_CASE_TEMPLATE("the rules that were applied can be read back", Kind, Memory, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const StoredSchema stored = must(backend->open_store()->schema());
  const Schema expected = schema();
  REQUIRE(stored.schema.keyspaces.size() == expected.keyspaces.size());
  for (std::size_t i = 0; i < expected.keyspaces.size(); ++i) {
    CHECK(stored.schema.keyspaces[i].pattern == expected.keyspaces[i].pattern);
    CHECK(stored.schema.keyspaces[i].type == expected.keyspaces[i].type);
  }
  CHECK(stored.schema.limits.key_bytes == expected.limits.key_bytes);
  CHECK(stored.schema.limits.value_bytes == expected.limits.value_bytes);
  CHECK(stored.schema.limits.transaction_changes == expected.limits.transaction_changes);
  CHECK(stored.schema.limits.transaction_bytes == expected.limits.transaction_bytes);
  std::size_t known = 0;
  for (const crdt::Type* type : crdt::types()) {
    for (const crdt::Operation& operation : type->operations) {
      ++known;
      CHECK(std::ranges::count(stored.operations, std::pair{std::string(type->name),
                                                            std::string(operation.name)}) == 1);
    }
  }
  CHECK(stored.operations.size() == known);
}

}  // namespace tributary::outbox_suite

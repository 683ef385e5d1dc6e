/// A commit happens as a whole or not at all, and only on what was loaded.
#include <algorithm>
#include <array>
#include <thread>

#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

constexpr ActorId kActor{0xfedcba9876543210U};
constexpr ActorId kOther{7};

/// A commit that would change everything there is.
void fill(Draft& draft, const std::string& first, const std::string& last) {
  draft.key("first", ViewKind::kString, first, {{"s", "new"}}, {put("", "new")});
  draft.key("middle", ViewKind::kSet, "", {{"e1", "new"}}, {put("m")}).deferring = true;
  draft.key("last", ViewKind::kHash, last, {{"f", "new"}}, {put("f", "new")});
  draft.progress.push_back({OriginName{"shop"}, {kActor, Offset{5}, Seq{9}, Hlc{9}}});
  draft.parked.emplace_back().id = "shop/a/1/0";
  draft.hlc = Hlc{99};
}

/// Everything fill() could have changed.
std::string whole(ReplicaStore& store) {
  std::string out;
  for (const std::string_view key : {"first", "middle", "last"}) out += picture(store, key) + "\n";
  const ReplicaProgress progress = need(store.progress());
  out += progress.watermark.token() + " " + std::to_string(progress.hlc.value) + " " +
         std::to_string(progress.origins.size()) + " " + std::to_string(need(store.parked_count()));
  for (const auto& key : need(store.deferring_keys(10))) out += " " + key;
  return out;
}

void expect_untouched(ReplicaStore& store, Draft& draft) {
  const std::string before = whole(store);
  const auto done = draft.commit(store);
  REQUIRE(!done);
  CHECK(done.error().kind == ErrorKind::kConflict);
  CHECK(whole(store) == before);
}

}  // namespace

REPLICA_TEST("a commit writes states, views and progress together") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft draft;
  fill(draft, "", "");
  need(draft.advance(kActor, 0, 9).commit(*store));
  CHECK(values_of(*store, "first") == "string =new");
  CHECK(values_of(*store, "middle") == "set m=");
  CHECK(values_of(*store, "last") == "hash f=new");
  const KeyReading reading = need(store->read("first"));
  CHECK(reading.type == "as_string");
  CHECK(reading.context.get(kActor) == Seq{9});
  CHECK(need(store->progress()).watermark.get(kActor) == Seq{9});
  CHECK(need(store->parked_count()) == 1);
  CHECK(need(store->deferring_keys(10)) == std::vector<std::string>{"middle"});
}

REPLICA_TEST("a stale version of the last key stops the whole commit") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft before;
  before.key("last", ViewKind::kHash, "", {{"f", "old"}}, {put("f", "old")});
  need(before.commit(*store));
  const std::string stale = version_of(*store, "last");
  Draft between;
  between.key("last", ViewKind::kHash, stale, {{"f", "newer"}}, {put("f", "newer")});
  need(between.commit(*store));
  for (const std::string& version : {stale, std::string()}) {
    Draft draft;
    fill(draft, "", version);
    expect_untouched(*store, draft.advance(kActor, 0, 9));
  }
}

REPLICA_TEST("a version of a key that does not exist stops the whole commit") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft draft;
  fill(draft, "as_string 0123456789abcdef", "");
  expect_untouched(*store, draft.advance(kActor, 0, 9));
}

REPLICA_TEST("a watermark that is not where a step starts stops the whole commit") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft before;
  need(before.advance(kActor, 0, 4).commit(*store));
  for (const std::uint64_t from : {0U, 3U, 5U}) {
    Draft draft;
    fill(draft, "", "");
    expect_untouched(*store, draft.advance(kOther, 0, 1).advance(kActor, from, 9));
  }
}

REPLICA_TEST("a step that does not move is a precondition all the same") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft good;
  need(good.advance(kActor, 0, 4).commit(*store));
  Draft still;
  need(still.advance(kActor, 4, 4).advance(kOther, 0, 0).commit(*store));
  CHECK(need(store->progress()).watermark.size() == 1);
  Draft draft;
  fill(draft, "", "");
  expect_untouched(*store, draft.advance(kActor, 3, 3));
}

REPLICA_TEST("a view of a foreign type stops the whole commit and is named") {
  constexpr std::array kinds{ViewKind::kString, ViewKind::kSet, ViewKind::kHash,
                             ViewKind::kSortedSet, ViewKind::kList};
  for (const ViewKind mine : kinds) {
    for (const ViewKind found : kinds) {
      if (mine == found) continue;
      Subject subject;
      REQUIRE_SUBJECT(subject);
      const auto store = subject.open();
      CAPTURE(crdt::to_string(mine));
      CAPTURE(crdt::to_string(found));
      subject.tamper("view", found, "1");
      const std::string theirs = values_of(*store, "view");
      Draft draft;
      fill(draft, "", "");
      const bool list_like = mine == ViewKind::kString || mine == ViewKind::kList;
      draft.key("view", mine, "", {{"x", "1"}}, {put(list_like ? "" : "1", "2")});
      expect_untouched(*store, draft);
      CHECK(values_of(*store, "view") == theirs);
      const std::pair<std::string_view, ViewKind> asked[] = {{"absent", mine}, {"view", mine}};
      const auto changed = need(store->changed_views(asked));
      REQUIRE(changed.size() == 1);
      CHECK(changed[0].key == "view");
      CHECK(changed[0].found == crdt::to_string(found));
      CHECK(changed[0].foreign);
      CHECK(changed[0].stateless);
    }
  }
}

REPLICA_TEST("a view that another program replaced stops a key that is known, too") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft before;
  before.key("k", ViewKind::kString, "", {{"s", "1"}}, {put("", "1")});
  need(before.commit(*store));
  subject.tamper("k", ViewKind::kSet, "theirs");
  const std::string version = version_of(*store, "k");
  for (auto edit : {put("", "2"), clear()}) {
    Draft draft;
    draft.key("k", ViewKind::kString, version, {{"s", "2"}}, {edit});
    expect_untouched(*store, draft);
  }
  CHECK(values_of(*store, "k") == "set theirs=");
}

REPLICA_TEST("a key without edits does not mind a foreign view") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  subject.tamper("k", ViewKind::kSet, "theirs");
  Draft draft;
  draft.key("k", ViewKind::kString, "", {{"s", "1"}});
  need(draft.commit(*store));
  CHECK(values_of(*store, "k") == "set theirs=");
}

REPLICA_TEST("a version changes with every commit to its key, and with no other") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft both;
  both.key("a", ViewKind::kString, "", {{"s", "1"}});
  both.key("b", ViewKind::kString, "", {{"s", "1"}});
  need(both.commit(*store));
  const std::string a = version_of(*store, "a");
  const std::string b = version_of(*store, "b");
  Draft same;
  same.key("a", ViewKind::kString, a, {});  // nothing of it changes
  need(same.commit(*store));
  CHECK(version_of(*store, "a") != a);
  CHECK(version_of(*store, "b") == b);
}

REPLICA_TEST("a version does not come back when the replica starts over") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  std::vector<std::string> seen;
  for (int round = 0; round < 3; ++round) {
    subject.flush();
    Draft draft;
    draft.key("k", ViewKind::kString, "", {{"s", "1"}});
    need(draft.commit(*store));
    const std::string version = version_of(*store, "k");
    CHECK(std::find(seen.begin(), seen.end(), version) == seen.end());
    seen.push_back(version);
  }
}

REPLICA_TEST("a key keeps its version when its last field is dropped") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft before;
  before.key("k", ViewKind::kSet, "", {{"e", "1"}}, {put("e")});
  need(before.commit(*store));
  Draft after;
  after.key("k", ViewKind::kSet, version_of(*store, "k"), {{"e", std::nullopt}}, {remove("e")});
  need(after.commit(*store));
  CHECK(values_of(*store, "k") == "nothing");
  Draft late;  // of somebody who saw the key before it was made
  late.key("k", ViewKind::kSet, "", {{"e", "1"}}, {put("e")});
  expect_untouched(*store, late);
}

REPLICA_TEST("of two stores racing for a key exactly one wins each round") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const std::array stores{subject.open(), subject.open()};
  for (int round = 0; round < 200; ++round) {
    const std::string version = version_of(*stores[0], "k");
    std::array<Result<std::string>, 2> results;
    const auto race = [&](std::size_t mine) {
      Draft draft;
      const std::string value = std::to_string(mine);
      draft.key("k", ViewKind::kString, version, {{"s", value}}, {put("", value)});
      results[mine] = draft.commit(*stores[mine]);
    };
    std::thread rival(race, 1);
    race(0);
    rival.join();
    REQUIRE(results[0].has_value() != results[1].has_value());
    const std::size_t loser = results[0] ? 1 : 0;
    CHECK(results[loser].error().kind == ErrorKind::kConflict);
    CHECK(values_of(*stores[0], "k") == "string =" + std::to_string(1 - loser));
  }
}

}  // namespace tributary::replica_tests

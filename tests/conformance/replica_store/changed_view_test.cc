/// A view that is not as commits left it is noticed, told, and replaced as a whole.
#include <array>
#include <set>

#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

const std::array kCollections{ViewKind::kSet, ViewKind::kHash, ViewKind::kSortedSet,
                              ViewKind::kList};

PlainEdits two(ViewKind kind) {
  const bool list = kind == ViewKind::kList;
  return {put(list ? "" : "a", "1"), put(list ? "" : "b", "2")};
}

Result<std::string> edit(ReplicaStore& store, ViewKind kind, PlainEdits edits, bool whole = false) {
  Draft draft;
  draft.key("k", kind, version_of(store, "k"), {{"s", "x"}}, std::move(edits)).whole = whole;
  return draft.commit(store);
}

std::vector<ChangedView> changed(ReplicaStore& store, ViewKind kind) {
  const std::pair<std::string_view, ViewKind> asked[] = {{"k", kind}, {"absent", kind}};
  return need(store.changed_views(asked));
}

void expect_conflict(const Result<std::string>& done) {
  REQUIRE(!done);
  CHECK(done.error().kind == ErrorKind::kConflict);
  CHECK(done.error().message.find("view k") != std::string::npos);
}

}  // namespace

REPLICA_TEST("a collection that vanished is noticed by the next edit and made whole again") {
  for (const ViewKind kind : kCollections) {
    Subject subject;
    REQUIRE_SUBJECT(subject);
    const auto store = subject.open();
    CAPTURE(crdt::to_string(kind));
    need(edit(*store, kind, two(kind)));
    CHECK(changed(*store, kind).empty());
    subject.drop_view("k");
    const bool list = kind == ViewKind::kList;
    expect_conflict(edit(*store, kind, {put(list ? "" : "c", "3")}));
    const auto found = changed(*store, kind);
    REQUIRE(found.size() == 1);
    CHECK(found[0].found == "none");
    CHECK(!found[0].foreign);
    CHECK(!found[0].stateless);
    CHECK(!need(store->read("k")).exists);
    PlainEdits all = two(kind);
    all.insert(all.begin(), clear());
    need(edit(*store, kind, all, true));
    CHECK(changed(*store, kind).empty());
    need(edit(*store, kind, {put(list ? "" : "c", "3")}));
    CHECK(need(store->view("k", 10)).values.size() == 3);
  }
}

REPLICA_TEST("a collection of another number of members is noticed") {
  for (const ViewKind kind : kCollections) {
    Subject subject;
    REQUIRE_SUBJECT(subject);
    const auto store = subject.open();
    CAPTURE(crdt::to_string(kind));
    need(edit(*store, kind, two(kind)));
    subject.tamper("k", kind, "theirs");
    expect_conflict(edit(*store, kind, {put(kind == ViewKind::kList ? "" : "c", "3")}));
    REQUIRE(changed(*store, kind).size() == 1);
    CHECK(changed(*store, kind)[0].found == crdt::to_string(kind));
  }
}

REPLICA_TEST("redundant edits do not put the number of members wrong") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const auto kind = ViewKind::kSet;
  need(edit(*store, kind, {put("a"), put("a"), put("b"), remove("z")}));
  need(edit(*store, kind, {put("b"), remove("a")}));
  need(edit(*store, kind, {}));
  CHECK(changed(*store, kind).empty());
  need(edit(*store, kind, {remove("b")}));  // the last one: the view is gone by right
  CHECK(changed(*store, kind).empty());
  need(edit(*store, kind, {put("c")}));
  CHECK(values_of(*store, "k") == "set c=");
}

REPLICA_TEST("a view without a state is not edited, whatever its type") {
  for (const ViewKind mine : {ViewKind::kString, ViewKind::kSet}) {
    for (const ViewKind found : {ViewKind::kString, ViewKind::kSet}) {
      Subject subject;
      REQUIRE_SUBJECT(subject);
      const auto store = subject.open();
      subject.tamper("k", found, "theirs");
      expect_conflict(edit(*store, mine, {put(mine == ViewKind::kSet ? "a" : "", "1")}));
      const auto told = changed(*store, mine);
      REQUIRE(told.size() == 1);
      CHECK(told[0].stateless);
      CHECK(told[0].foreign == (mine != found));
      CHECK(need(store->read("k")).exists);
      const auto whole =
          edit(*store, mine, {clear(), put(mine == ViewKind::kSet ? "a" : "", "1")}, true);
      CHECK(whole.has_value() == (mine == found));
    }
  }
}

REPLICA_TEST("a string that vanished is written again by the next edit") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  need(edit(*store, ViewKind::kString, {put("", "1")}));
  subject.drop_view("k");
  CHECK(changed(*store, ViewKind::kString).empty());
  need(edit(*store, ViewKind::kString, {put("", "2")}));
  CHECK(values_of(*store, "k") == "string =2");
}

REPLICA_TEST("a whole commit spares a foreign view, unless damage is to be dropped") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  need(edit(*store, ViewKind::kSet, {put("a")}));
  for (const ViewKind found : {ViewKind::kString, ViewKind::kHash}) {
    subject.tamper("k", found, "1");
    expect_conflict(edit(*store, ViewKind::kSet, {clear(), put("a")}, true));
    REQUIRE(changed(*store, ViewKind::kSet).size() == 1);
    CHECK(changed(*store, ViewKind::kSet)[0].foreign);
  }
  Draft draft;
  auto& key =
      draft.key("k", ViewKind::kSet, version_of(*store, "k"), {{"s", "y"}}, {clear(), put("b")});
  key.whole = true;
  key.discard_damage = true;
  need(draft.commit(*store));
  CHECK(values_of(*store, "k") == "set b=");
}

REPLICA_TEST("a walk meets every key that has state, and views are shown up to a size") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft draft;
  std::set<std::string> keys;
  for (int i = 0; i < 500; ++i) {
    const std::string key = (i % 3 == 0 ? "{tag}" : i % 3 == 1 ? "a}b" : "") + std::to_string(i);
    keys.insert(key);
    draft.key(key, ViewKind::kSet, "", {{"s", "1"}}, {put("a"), put("b")});
  }
  need(draft.commit(*store));
  subject.tamper("theirs", ViewKind::kSet, "x");
  std::set<std::string> met;
  std::string cursor;
  std::size_t steps = 0;
  do {
    const auto step = need(store->walk(cursor, 50));
    met.insert(step.keys.begin(), step.keys.end());
    cursor = step.cursor;
  } while (!cursor.empty() && ++steps < 1000);
  CHECK(met == keys);
  CHECK(need(store->view("2", 2)).values.size() == 2);
  CHECK(need(store->view("2", 1)).values.empty());
  CHECK(need(store->view("2", 1)).size == 2);
  CHECK(need(store->view("nobody", 1)).found == "none");
}

}  // namespace tributary::replica_tests

/// Keys of every kind in one commit, in any order: a store may take those of one kind together, and
/// yet each is written as if it were alone, and what each expects counts.
#include <array>
#include <string>
#include <vector>

#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

constexpr std::size_t kKinds = 9;
constexpr std::size_t kKeys = kKinds * 25;  ///< more fields than a store may keep apart

std::string name(std::size_t n) { return "key:" + std::to_string(n); }

/// What the key of a kind, that `version` tells of, is to become.
void add(Draft& draft, std::size_t n, std::string version, const std::string& value) {
  constexpr auto string = ViewKind::kString;
  const std::string key = name(n);
  switch (n % kKinds) {
    case 0: draft.key(key, string, version, {{"s", value}}, {put("", value)}); break;
    case 1: draft.key(key, ViewKind::kSet, version, {{"e", value}}, {put(value)}); break;
    case 2:
      draft.key(key, string, version, {{"s", value}}, {put("", value)}).deferring = true;
      break;
    case 3: draft.key(key, string, version, {{"s" + key, value}}, {put("", value)}); break;
    case 4: draft.key(key, string, version, {{"a", value}, {"b", value}}, {put("", value)}); break;
    case 5:
      draft.key(key, ViewKind::kHash, version, {{"f", value}}, {put("f", value), put("g")});
      break;
    case 6:
      draft.key(key, string, version, {{"s", value}}, {clear(), put("", value)}).whole = true;
      break;
    case 7: draft.key(key, string, version, {{"s", value}}, {put("", "-"), clear()}); break;
    default: draft.key(key, string, version, {{"s", value}}); break;
  }
}

std::string expected(std::size_t n, const std::string& value, const std::string& before) {
  switch (n % kKinds) {
    case 1: return before.empty() ? "set " + value + "=" : "set " + before + "= " + value + "=";
    case 5: return "hash f=" + value + " g=";
    case 7:
    case 8: return "nothing";
    default: return "string =" + value;
  }
}

/// Every second key has a state already.
bool held(std::size_t n) { return (n / kKinds) % 2 == 0; }

void fill(ReplicaStore& store) {
  Draft draft;
  for (std::size_t n = 0; n < kKeys; ++n) {
    if (held(n)) add(draft, n, "", "1st");
  }
  need(draft.commit(store));
}

std::vector<std::string> versions(ReplicaStore& store) {
  std::vector<std::string> all;
  for (std::size_t n = 0; n < kKeys; ++n) all.push_back(version_of(store, name(n)));
  return all;
}

std::string pictures(ReplicaStore& store) {
  std::string all;
  for (std::size_t n = 0; n < kKeys; ++n) all += picture(store, name(n)) + "\n";
  return all;
}

}  // namespace

REPLICA_TEST("keys of every kind in one commit are each written as if alone") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  fill(*store);
  Draft draft;
  const auto known = versions(*store);
  for (std::size_t n = 0; n < kKeys; ++n) add(draft, n, known[n], "2nd");
  need(draft.commit(*store));
  for (std::size_t n = 0; n < kKeys; ++n) {
    CAPTURE(n);
    CHECK(values_of(*store, name(n)) == expected(n, "2nd", held(n) ? "1st" : ""));
    CHECK(version_of(*store, name(n)) != known[n]);
    const std::string key = name(n);
    const auto loaded = need(store->load(std::array{KeyLoad{key, {true, {}}}}));
    REQUIRE(!loaded[0].state.fields().empty());
    for (const auto& field : loaded[0].state.fields()) CHECK(field.value == "2nd");
  }
  CHECK(need(store->deferring_keys(kKeys)).size() == kKeys / kKinds);
}

REPLICA_TEST("a stale version of any kind of key stops the whole commit") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  fill(*store);
  const auto known = versions(*store);
  const std::string before = pictures(*store);
  for (std::size_t stale = 0; stale < 4 * kKinds; ++stale) {
    CAPTURE(stale);
    Draft draft;
    for (std::size_t n = 0; n < kKeys; ++n) {
      const std::string wrong = held(n) ? "" : "as_string 0123456789abcdef";
      add(draft, n, n == stale ? wrong : known[n], "2nd");
    }
    const auto done = draft.commit(*store);
    REQUIRE(!done);
    CHECK(done.error().kind == ErrorKind::kConflict);
    CHECK(done.error().message.ends_with(name(stale)));
    if (stale % kKinds == 0) CHECK(pictures(*store) == before);
  }
  CHECK(pictures(*store) == before);
}

REPLICA_TEST("a foreign view of any kind of key stops the whole commit") {
  for (std::size_t n = 0; n < 2 * kKinds; ++n) {
    if (n % kKinds == 8) continue;  // leaves its view alone
    CAPTURE(n);
    Subject subject;
    REQUIRE_SUBJECT(subject);
    const auto store = subject.open();
    fill(*store);
    const auto known = versions(*store);
    subject.tamper(name(n), ViewKind::kSortedSet, "theirs");
    Draft draft;
    for (std::size_t i = 0; i < kKeys; ++i) add(draft, i, known[i], "2nd");
    const auto done = draft.commit(*store);
    REQUIRE(!done);
    CHECK(done.error().kind == ErrorKind::kConflict);
    CHECK(done.error().message.ends_with("view " + name(n)));
    CHECK(versions(*store) == known);
  }
}

REPLICA_TEST("of thousands of new keys each has to be new") {
  constexpr std::size_t kMany = 5000;
  for (const std::size_t there :
       {std::size_t{0}, std::size_t{1999}, std::size_t{2000}, kMany - 1}) {
    for (const bool state : {true, false}) {
      CAPTURE(there);
      CAPTURE(state);
      Subject subject;
      REQUIRE_SUBJECT(subject);
      const auto store = subject.open();
      Draft first;
      first.key(name(there), ViewKind::kString, "", {{"s", "1"}}, {put("", "1")});
      if (state) need(first.commit(*store));
      else subject.tamper(name(there), ViewKind::kString, "theirs");
      Draft draft;
      for (std::size_t n = 0; n < kMany; ++n) {
        draft.key(name(n), ViewKind::kString, "", {{"s", "2"}}, {put("", "2")});
      }
      const auto done = draft.commit(*store);
      REQUIRE(!done);
      CHECK(done.error().kind == ErrorKind::kConflict);
      CHECK(done.error().message.ends_with(" " + name(there)));
      CHECK(version_of(*store, name((there + 1) % kMany)).empty());
    }
  }
}

}  // namespace tributary::replica_tests

/// Views are what plain Redis clients would read, whatever bytes they hold.
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

/// Commits edits to the key "k" and answers its view.
std::string after(ReplicaStore& store, ViewKind kind, PlainEdits edits) {
  Draft draft;
  draft.key("k", kind, version_of(store, "k"), {{"s", "x"}}, std::move(edits));
  need(draft.commit(store));
  return values_of(store, "k");
}

const std::vector<std::string>& awkward_names() {
  using namespace std::string_literals;
  static const std::vector<std::string> names{"nul\0inside"s,
                                              " spaces  here ",
                                              "line\r\nbreak",
                                              "ключ ☕ 鍵",
                                              "{tag}:key",
                                              "a{x}b{y}",
                                              "{}",
                                              "{",
                                              "}{",
                                              "version",
                                              "\xff\xfe not utf-8",
                                              "\"quoted\" \\ $5\r\n",
                                              std::string(3000, 'k')};
  return names;
}

}  // namespace

REPLICA_TEST("a string is put, replaced and cleared") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const auto kind = ViewKind::kString;
  CHECK(after(*store, kind, {put("", "1")}) == "string =1");
  CHECK(after(*store, kind, {put("", "2"), put("", "3")}) == "string =3");
  CHECK(after(*store, kind, {clear(), put("", "4")}) == "string =4");
  CHECK(after(*store, kind, {put("", "")}) == "string =");
  CHECK(after(*store, kind, {put("", "5"), clear()}) == "nothing");
  CHECK(after(*store, kind, {clear()}) == "nothing");
}

REPLICA_TEST("a set gains and loses members in the order of the edits") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const auto kind = ViewKind::kSet;
  CHECK(after(*store, kind, {put("b"), put("a"), put("a")}) == "set a= b=");
  CHECK(after(*store, kind, {remove("a"), put("c"), remove("c"), put("a")}) == "set a= b=");
  CHECK(after(*store, kind, {remove("a"), remove("b"), remove("z")}) == "nothing");
  CHECK(after(*store, kind, {put("x"), clear(), put("y"), put("z")}) == "set y= z=");
  CHECK(after(*store, kind, {put("q"), clear()}) == "nothing");
}

REPLICA_TEST("a hash gains, changes and loses fields") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const auto kind = ViewKind::kHash;
  CHECK(after(*store, kind, {put("f", "1"), put("g", "2"), put("f", "3")}) == "hash f=3 g=2");
  CHECK(after(*store, kind, {remove("g"), put("h", "")}) == "hash f=3 h=");
  CHECK(after(*store, kind, {clear(), put("i", "4")}) == "hash i=4");
  CHECK(after(*store, kind, {remove("i")}) == "nothing");
}

REPLICA_TEST("a sorted set keeps its order and its exact scores") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const auto kind = ViewKind::kSortedSet;
  CHECK(after(*store, kind, {put("b", "2"), put("a", "2"), put("z", "-1.5")}) ==
        "zset z=-1.5 a=2 b=2");
  CHECK(after(*store, kind, {put("a", "9007199254740993"), put("b", "0.1"), put("c", "-inf")}) ==
        "zset c=-inf z=-1.5 b=0.10000000000000001 a=9007199254740992");
  CHECK(after(*store, kind, {remove("z"), clear(), put("n", "1e3"), put("m", "inf")}) ==
        "zset n=1000 m=inf");
  CHECK(after(*store, kind, {remove("n"), remove("m")}) == "nothing");
}

REPLICA_TEST("a list is appended to and cleared") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const auto kind = ViewKind::kList;
  CHECK(after(*store, kind, {put("", "b"), put("", "a"), put("", "b")}) == "list =b =a =b");
  CHECK(after(*store, kind, {put("", "")}) == "list =b =a =b =");
  CHECK(after(*store, kind, {clear(), put("", "z"), put("", "y")}) == "list =z =y");
  CHECK(after(*store, kind, {clear()}) == "nothing");
}

REPLICA_TEST("keys, fields and values may hold any bytes") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const auto& names = awkward_names();
  Draft draft;
  for (const std::string& key : names) {
    Fields fields;
    PlainEdits edits;
    for (const std::string& name : names) {
      fields.push_back({name, name + key});
      edits.push_back(put(name, key + name));
    }
    draft.key(key, ViewKind::kHash, "", fields, edits);
  }
  need(draft.commit(*store));
  for (const std::string& key : names) {
    const KeyLoad some{key, {false, names}};
    const KeyLoad all{key, {true, {}}};
    for (const KeyLoad& load : {some, all}) {
      const LoadedKey loaded = std::move(need(store->load({&load, 1})).front());
      CHECK(loaded.type == "as_hash");
      REQUIRE(loaded.state.fields().size() == names.size());
      for (const std::string& name : names) CHECK(*loaded.state.find(name) == name + key);
    }
    const KeyReading reading = need(store->read(key));
    REQUIRE(reading.values.size() == names.size());
    for (const auto& [name, value] : reading.values) CHECK(value == key + name);
  }
}

REPLICA_TEST("ten thousand keys are one commit") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft draft;
  std::vector<std::string> keys;
  for (int i = 0; i < 10'000; ++i) {
    const std::string number = std::to_string(i);
    keys.push_back("k" + number);
    draft.key(keys.back(), ViewKind::kString, "", {{"s", number}}, {put("", number)});
  }
  need(draft.commit(*store));
  std::vector<KeyLoad> loads;
  for (const std::string& key : keys) loads.push_back({key, {false, {"s"}}});
  const auto loaded = need(store->load(loads));
  REQUIRE(loaded.size() == keys.size());
  int wrong = 0;
  for (int i = 0; i < 10'000; ++i) {
    wrong += *loaded[static_cast<std::size_t>(i)].state.find("s") != std::to_string(i) ? 1 : 0;
  }
  CHECK(wrong == 0);
  for (const int i : {0, 1999, 2000, 2001, 9999}) {
    const std::string number = std::to_string(i);
    CHECK(values_of(*store, "k" + number) == "string =" + number);
  }
}

}  // namespace tributary::replica_tests

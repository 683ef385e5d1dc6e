/// Loading asks for what a delta touches, and for no more.
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {

using crdt::ViewKind;

REPLICA_TEST("loaded keys stand in the order asked, the absent ones empty") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft draft;
  draft.key("a", ViewKind::kString, "", {{"x", "1"}, {"y", "2"}});
  draft.key("b", ViewKind::kSet, "", {{"x", "3"}});
  need(draft.commit(*store));
  const std::vector<KeyLoad> loads{{"b", {false, {"y", "x", "y"}}},
                                   {"none", {false, {"x"}}},
                                   {"a", {true, {}}},
                                   {"a", {false, {}}},
                                   {"none", {true, {}}}};
  const auto loaded = need(store->load(loads));
  REQUIRE(loaded.size() == 5);
  CHECK(loaded[0].type == "as_set");
  CHECK(loaded[0].state.fields().size() == 2);
  CHECK(loaded[0].state.find("y") == nullptr);
  CHECK(*loaded[0].state.find("x") == "3");
  CHECK(!loaded[0].state.loaded("z"));
  CHECK(loaded[1].version.empty());
  CHECK(loaded[1].type.empty());
  CHECK(loaded[1].state.find("x") == nullptr);
  CHECK(loaded[2].state.complete());
  CHECK(*loaded[2].state.find("y") == "2");
  CHECK(loaded[2].state.find("other") == nullptr);
  CHECK(loaded[2].version == loaded[3].version);
  CHECK(loaded[3].state.fields().empty());
  CHECK(loaded[4].version.empty());
  CHECK(loaded[4].state.complete());
  for (const auto& field : loaded[2].state.fields()) CHECK(!field.changed);
  CHECK(need(store->load({})).empty());
}

REPLICA_TEST("two elements of a set of 100,000 cost two elements") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Fields fields;
  PlainEdits edits;
  for (int i = 0; i < 100'000; ++i) {
    fields.push_back({"e" + std::to_string(i), "dot"});
    edits.push_back(put(std::to_string(i)));
  }
  Draft fill;
  fill.key("big", ViewKind::kSet, "", fields, edits);
  need(fill.commit(*store));
  const std::string version = version_of(*store, "big");

  const std::uint64_t before = subject.fields_loaded();
  const KeyLoad load{"big", {false, {"e5", "e100000"}}};
  auto loaded = need(store->load({&load, 1}));
  REQUIRE(loaded.front().state.fields().size() == 2);
  Draft draft;
  draft.key("big", ViewKind::kSet, version, {{"e5", std::nullopt}, {"e100000", "dot"}},
            {remove("5"), put("100000")});
  need(draft.commit(*store));
  // Fields in memory; bytes from Redis, where INFO itself is most of it.
  CHECK(subject.fields_loaded() - before < 20'000);

  const KeyReading reading = need(store->read("big"));
  CHECK(reading.values.size() == 100'000);
  const KeyLoad all{"big", {true, {}}};
  loaded = need(store->load({&all, 1}));
  CHECK(loaded.front().state.fields().size() == 100'000);
  CHECK(loaded.front().state.find("e5") == nullptr);
}

REPLICA_TEST("a large key is dropped field by field and cleared in one commit") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Fields fields;
  Fields drops;
  PlainEdits edits;
  for (int i = 0; i < 20'001; ++i) {
    const std::string name = std::to_string(i);
    fields.push_back({name, name});
    drops.push_back({name, std::nullopt});
    edits.push_back(put(name, name));
  }
  Draft fill;
  fill.key("big", ViewKind::kHash, "", fields, edits);
  need(fill.commit(*store));
  CHECK(need(store->read("big")).values.size() == 20'001);
  Draft draft;
  draft.key("big", ViewKind::kHash, version_of(*store, "big"), drops,
            {clear(), put("one", "left")});
  need(draft.commit(*store));
  CHECK(values_of(*store, "big") == "hash one=left");
  const KeyLoad all{"big", {true, {}}};
  CHECK(need(store->load({&all, 1})).front().state.fields().empty());
}

REPLICA_TEST("many loads with many fields come back complete") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  std::vector<std::string> names;
  Fields fields;
  for (int i = 0; i < 3000; ++i) {
    names.push_back(std::to_string(i));
    fields.push_back({names.back(), "v" + names.back()});
  }
  Draft draft;
  for (int i = 0; i < 12; ++i) draft.key("k" + names[i], ViewKind::kSet, "", fields);
  need(draft.commit(*store));
  std::vector<std::string> keys;
  for (int i = 0; i < 12; ++i) keys.push_back("k" + names[i]);
  std::vector<KeyLoad> loads;
  for (const std::string& key : keys) loads.push_back({key, {false, names}});
  for (const std::string& key : keys) loads.push_back({key, {true, {}}});
  for (const LoadedKey& key : need(store->load(loads))) {
    REQUIRE(key.state.fields().size() == 3000);
    CHECK(*key.state.find("2999") == "v2999");
  }
}

}  // namespace tributary::replica_tests

/// One damaged key is one damaged key.
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;
using Damage = MemoryReplica::Damage;

const std::string kThree("\1\0\0\0\0\0\0\0\3\0", 10);  ///< a counter's state

Result<std::string> count(ReplicaStore& store, const std::string& key, bool discard = false) {
  Draft draft;
  auto& part = draft.key(key, ViewKind::kString, version_of(store, key), {{"t", kThree}},
                         {clear(), put("", "3")});
  part.type = crdt::find_type("counter");
  part.whole = discard;
  part.discard_damage = discard;
  return draft.commit(store);
}

LoadedKey load(ReplicaStore& store, std::string_view key, bool all) {
  std::vector<KeyLoad> loads(3, KeyLoad{"other", {false, {"t"}}});
  loads[1].key = key;
  if (all) loads[1].fields = {true, {}};
  auto loaded = need(store.load(loads));
  REQUIRE(loaded.size() == 3);
  CHECK(loaded[0].damage.empty());
  CHECK(loaded[2].damage.empty());
  return std::move(loaded[1]);
}

}  // namespace

REPLICA_TEST("damage of one key is told with that key, and can be dropped") {
  for (const Damage how : {Damage::kStray, Damage::kNoVersion, Damage::kBytes}) {
    for (const bool known : {true, false}) {
      if (how == Damage::kBytes && !known) continue;
      Subject subject;
      REQUIRE_SUBJECT(subject);
      const auto store = subject.open();
      CAPTURE(static_cast<int>(how));
      CAPTURE(known);
      if (known) need(count(*store, "k"));
      subject.damage("k", how);
      for (const bool all : {false, true}) {
        const LoadedKey key = load(*store, "k", all);
        CHECK(!key.damage.empty());
        CHECK(key.state.find("t") == nullptr);
      }
      if (how != Damage::kBytes) {
        const auto done = count(*store, "k");
        REQUIRE(!done);
        CHECK(done.error().kind == ErrorKind::kConflict);
      }
      if (how != Damage::kBytes) CHECK(!need(store->read("k")).problem.empty());
      need(count(*store, "k", true));
      CHECK(load(*store, "k", true).damage.empty());
      CHECK(values_of(*store, "k") == "string =3");
    }
  }
}

}  // namespace tributary::replica_tests

/// What only the replica in memory can do: roll back, fail on demand, and show itself.
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;
using Call = MemoryReplica::Call;
using Fault = MemoryReplica::Fault;

void write(ReplicaStore& store, const std::string& value) {
  Draft draft;
  draft.key("k", ViewKind::kString, version_of(store, "k"), {{"s", value}}, {put("", value)});
  need(draft.commit(store));
}

}  // namespace

TEST_CASE("a rolled back replica in memory meets no version again") {
  MemoryReplica replica;
  const auto store = need(replica.open());
  write(*store, "1");
  const auto snapshot = replica.snapshot();
  write(*store, "2");
  const std::string lost = version_of(*store, "k");
  replica.restore(snapshot);
  CHECK(values_of(*store, "k") == "string =1");
  write(*store, "2");
  CHECK(version_of(*store, "k") != lost);
}

TEST_CASE("a fault before the commit loses it, a fault after it does not") {
  for (const Fault fault : {Fault::kBefore, Fault::kAfter}) {
    MemoryReplica replica;
    const auto store = need(replica.open());
    replica.set_fault_hook([&](Call call) { return call == Call::kCommit ? fault : Fault::kNone; });
    Draft draft;
    draft.key("k", ViewKind::kString, "", {{"s", "1"}}, {put("", "1")});
    const auto done = draft.commit(*store);
    REQUIRE(!done);
    CHECK(done.error().kind == ErrorKind::kTransient);
    replica.set_fault_hook(nullptr);
    const auto dead = store->progress();
    REQUIRE(!dead);
    CHECK(dead.error().kind == ErrorKind::kTransient);
    const auto next = need(replica.open());
    CHECK(values_of(*next, "k") == (fault == Fault::kAfter ? "string =1" : "nothing"));
  }
}

TEST_CASE("a commit of the replica in memory can stop half-way, and tells it") {
  MemoryReplica replica;
  auto store = need(replica.open());
  const auto half = [](Call call) {
    return call == Call::kCommit ? Fault::kHalfway : Fault::kNone;
  };
  Draft draft;
  draft.token = "";
  draft.key("a", ViewKind::kSet, "", {{"s", "1"}}, {put("x")});
  draft.key("b", ViewKind::kSet, "", {{"s", "1"}}, {put("x")});
  replica.set_fault_hook(half);
  REQUIRE(!draft.advance(ActorId{1}, 0, 1).commit(*store));
  replica.set_fault_hook(nullptr);
  store = need(replica.open());
  ReplicaProgress progress = need(store->progress());
  CHECK(!progress.token.empty());
  CHECK(progress.unfinished == std::vector<std::string>{"a", "b"});
  Draft mended;
  mended.token = progress.token;
  mended.finished = progress.unfinished;
  for (const std::string key : {"a", "b"}) {
    mended.key(key, ViewKind::kSet, version_of(*store, key), {}, {clear(), put("x")}).whole = true;
  }
  need(mended.commit(*store));
  CHECK(values_of(*store, "b") == "set x=");
  CHECK(need(store->progress()).unfinished.empty());
}

TEST_CASE("dumps are equal when states and views are, whatever the versions") {
  MemoryReplica one(1);
  MemoryReplica two(2);
  const auto first = need(one.open());
  const auto second = need(two.open());
  write(*first, "1");
  write(*second, "2");
  CHECK(one.dump() != two.dump());
  write(*second, "1");
  CHECK(version_of(*first, "k") != version_of(*second, "k"));
  CHECK(one.dump() == two.dump());
  CHECK(one.dump() == "state \"k\" as_string \"s\"=\"1\"\nview \"k\" string \"\"=\"1\"\n");
  two.tamper("k", ViewKind::kString, "drifted");
  CHECK(one.dump() != two.dump());
}

}  // namespace tributary::replica_tests

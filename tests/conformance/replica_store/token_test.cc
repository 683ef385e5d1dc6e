/// One token names the state of a replica; actors and bounds of the watermark are guarded with it.
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

constexpr ActorId kActor{0xfedcba9876543210U};
constexpr std::uint64_t kMost = ~std::uint64_t{0};

Result<std::string> guarded(ReplicaStore& store, const std::string& token) {
  Draft draft;
  draft.token = token;
  draft.hlc = Hlc{1};
  return draft.commit(store);
}

void expect_conflict(const Result<std::string>& done) {
  REQUIRE(!done);
  CHECK(done.error().kind == ErrorKind::kConflict);
}

}  // namespace

REPLICA_TEST("every guarded commit gives a new token, and needs the last one") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  CHECK(need(store->token()).empty());
  const std::string first = need(guarded(*store, ""));
  CHECK(!first.empty());
  CHECK(need(store->token()) == first);
  expect_conflict(guarded(*store, ""));
  const std::string second = need(guarded(*store, first));
  CHECK(second != first);
  CHECK(need(store->progress()).token == second);
  const auto rival = subject.open();  // a second consumer
  const std::string third = need(guarded(*rival, second));
  expect_conflict(guarded(*store, second));
  subject.flush();
  expect_conflict(guarded(*store, third));
  CHECK(need(store->token()).empty());
}

REPLICA_TEST("a commit without a token leaves it as it was") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  for (const bool written : {false, true}) {
    const std::string token = written ? need(guarded(*store, "")) : "";
    Draft draft;
    draft.key("k", ViewKind::kString, version_of(*store, "k"), {{"s", "1"}}, {put("", "1")});
    CHECK(need(draft.commit(*store)).empty());
    CHECK(need(store->token()) == token);
    CHECK(need(store->progress()).unfinished.empty());
  }
}

REPLICA_TEST("an actor stays bound to its origin until it is retired") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const ActorRecord bound{OriginName{"shop a - b"}, std::nullopt};
  const ActorRecord retired{OriginName{"till"}, Seq{kMost}};
  Draft draft;
  draft.token = "";
  draft.actors = {{kActor, bound}, {ActorId{7}, retired}, {ActorId{8}, {OriginName{""}, Seq{0}}}};
  need(draft.commit(*store));
  const auto actors = need(store->progress()).actors;
  REQUIRE(actors.size() == 3);
  CHECK(actors.at(kActor) == bound);
  CHECK(actors.at(ActorId{7}) == retired);
  CHECK(actors.at(ActorId{8}).final_seq == Seq{0});
}

REPLICA_TEST("a bound on the watermark holds for actors that it does not name, too") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft fill;
  need(fill.advance(kActor, 0, 100).advance(ActorId{7}, 0, kMost).commit(*store));
  const auto bounded = [&](std::uint64_t first, std::uint64_t second) {
    Draft draft;
    draft.watermark_at_most.emplace();
    draft.watermark_at_most->raise(kActor, Seq{first});
    draft.watermark_at_most->raise(ActorId{7}, Seq{second});
    draft.watermark_at_most->raise(ActorId{9}, Seq{1});
    draft.hlc = Hlc{1};
    return draft.commit(*store);
  };
  need(bounded(100, kMost));
  need(bounded(kMost, kMost));
  expect_conflict(bounded(99, kMost));
  expect_conflict(bounded(100, kMost - 1));
  expect_conflict(bounded(100, 0));
}

}  // namespace tributary::replica_tests

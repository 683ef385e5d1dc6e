/// What the replica knows of the origins, and what it has set aside.
#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kBeyondDouble = (std::uint64_t{1} << 53) + 1;

void commit_hlc(ReplicaStore& store, std::uint64_t hlc) {
  Draft draft;
  draft.hlc = Hlc{hlc};
  need(draft.commit(store));
}

std::uint64_t hlc_of(ReplicaStore& store) { return need(store.progress()).hlc.value; }

void commit_deferring(ReplicaStore& store, const std::string& key, bool deferring) {
  Draft draft;
  draft.key(key, ViewKind::kSet, version_of(store, key), {{"m", "x"}}).deferring = deferring;
  need(draft.commit(store));
}

}  // namespace

REPLICA_TEST("an empty replica knows nothing, and so does a flushed one") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  for (int round = 0; round < 2; ++round) {
    const ReplicaProgress progress = need(store->progress());
    CHECK(progress.watermark.empty());
    CHECK(progress.hlc == Hlc{0});
    CHECK(progress.origins.empty());
    CHECK(need(store->parked("", 10)).empty());
    CHECK(need(store->parked_count()) == 0);
    CHECK(need(store->deferring_keys(10)).empty());
    CHECK(picture(*store, "k") == "  | nothing");
    Draft draft;
    draft.key("k", ViewKind::kString, "", {{"s", "1"}}, {put("", "1")}).deferring = true;
    draft.progress.push_back({OriginName{"shop"}, {ActorId{1}, Offset{1}, Seq{1}, Hlc{1}}});
    draft.parked.emplace_back().id = "p";
    draft.hlc = Hlc{1};
    need(draft.advance(ActorId{1}, 0, 1).commit(*store));
    CHECK(need(store->progress()).watermark.size() == 1);
    subject.flush();
  }
}

REPLICA_TEST("a sample tells of the actors asked for, and how many there are") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const ActorRecord record{OriginName{"shop"}, Seq{kBeyondDouble}};
  Draft draft;
  draft.token = "";
  draft.actors = {{ActorId{1}, record}, {ActorId{2}, {OriginName{"till"}, std::nullopt}}};
  draft.advance(ActorId{1}, 0, kBeyondDouble).advance(ActorId{3}, 0, 1);
  const std::string token = need(draft.commit(*store));
  const std::array asked{ActorId{1}, ActorId{4}};
  const ProgressSample sample = need(store->sample(asked));
  CHECK(sample.token == token);
  CHECK(sample.watermark.size() == 1);
  CHECK(sample.watermark.get(ActorId{1}) == Seq{kBeyondDouble});
  CHECK(sample.actors == std::map<ActorId, ActorRecord>{{ActorId{1}, record}});
  CHECK(sample.watermark_size == 2);
  CHECK(sample.actors_size == 2);
  subject.flush();
  CHECK(need(store->sample({})).token.empty());
}

REPLICA_TEST("64-bit numbers come back exactly") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const OriginProgress most{ActorId{kMax}, Offset{kMax}, Seq{kMax}, Hlc{kMax}, {kMax}};
  const OriginProgress odd{
      ActorId{0}, Offset{kBeyondDouble}, Seq{kBeyondDouble}, Hlc{0}, {kBeyondDouble}};
  Draft draft;
  draft.progress = {{OriginName{"shop"}, most}, {OriginName{"a b\r\n{c}"}, odd}};
  draft.hlc = Hlc{kMax};
  need(draft.advance(ActorId{kMax}, 0, kBeyondDouble).advance(ActorId{0}, 0, kMax).commit(*store));
  Draft next;
  next.advance(ActorId{kMax}, kBeyondDouble - 1, kMax);  // the same number, as doubles
  const auto done = next.commit(*store);
  REQUIRE(!done);
  CHECK(done.error().kind == ErrorKind::kConflict);
  const ReplicaProgress progress = need(store->progress());
  CHECK(progress.watermark.get(ActorId{kMax}) == Seq{kBeyondDouble});
  CHECK(progress.watermark.get(ActorId{0}) == Seq{kMax});
  CHECK(progress.origins.at(OriginName{"shop"}) == most);
  CHECK(progress.origins.at(OriginName{"a b\r\n{c}"}) == odd);
  CHECK(progress.hlc == Hlc{kMax});
}

REPLICA_TEST("the hlc only rises, bit by bit") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  commit_hlc(*store, 0);
  CHECK(hlc_of(*store) == 0);
  commit_hlc(*store, 9);
  commit_hlc(*store, 10);
  CHECK(hlc_of(*store) == 10);
  commit_hlc(*store, 9);
  CHECK(hlc_of(*store) == 10);
  commit_hlc(*store, kBeyondDouble);
  commit_hlc(*store, kBeyondDouble - 1);
  CHECK(hlc_of(*store) == kBeyondDouble);
  commit_hlc(*store, kMax - 1);
  commit_hlc(*store, kMax);
  commit_hlc(*store, kBeyondDouble);
  CHECK(hlc_of(*store) == kMax);
}

REPLICA_TEST("an origin's progress is replaced, the others' stays") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const OriginProgress old{ActorId{1}, Offset{1}, Seq{1}, Hlc{1}};
  const OriginProgress now{ActorId{2}, Offset{0}, Seq{3}, Hlc{4}};
  Draft first;
  first.progress = {{OriginName{"a"}, old}, {OriginName{"b"}, old}};
  need(first.commit(*store));
  Draft second;
  second.progress = {{OriginName{"a"}, now}};
  need(second.commit(*store));
  const auto origins = need(store->progress()).origins;
  CHECK(origins.at(OriginName{"a"}) == now);
  CHECK(origins.at(OriginName{"b"}) == old);
}

REPLICA_TEST("keys are listed while they hold deferred removes") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  for (const bool deferring : {true, true, false, false, true}) {
    commit_deferring(*store, "k", deferring);
    CHECK(need(store->deferring_keys(10)).size() == (deferring ? 1 : 0));
  }
  for (int i = 0; i < 20; ++i) commit_deferring(*store, "more" + std::to_string(i), true);
  CHECK(need(store->deferring_keys(0)).empty());
  auto some = need(store->deferring_keys(5));
  std::sort(some.begin(), some.end());
  CHECK(some.size() == 5);
  CHECK(std::unique(some.begin(), some.end()) == some.end());
  CHECK(need(store->deferring_keys(100)).size() == 21);
}

REPLICA_TEST("every deferring key is met sooner or later, also with a small limit") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  for (int i = 0; i < 10; ++i) commit_deferring(*store, std::to_string(i), true);
  std::vector<std::string> met;
  for (int i = 0; i < 500 && met.size() < 10; ++i) {
    for (const std::string& key : need(store->deferring_keys(3))) {
      if (std::find(met.begin(), met.end(), key) == met.end()) met.push_back(key);
    }
  }
  CHECK(met.size() == 10);
}

REPLICA_TEST("what is parked comes back as it was until it is forgotten") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  using namespace std::string_literals;
  const ParkedEntry one{"shop/00/9/0",      OriginName{"shop"}, ActorId{kMax},
                        Seq{kBeyondDouble}, Seq{kMax},          "key\0\r\n"s,
                        "no such type",     "bytes\0\xff"s,     Micros{2}};
  const ParkedEntry two{"shop/00/10/0", OriginName{""}, ActorId{}, Seq{}, Seq{}, "", "", "",
                        Micros{1}};
  Draft draft;
  draft.parked = {one, two};
  need(draft.commit(*store));
  const auto parked = need(store->parked("", 10));
  REQUIRE(parked.size() == 2);
  CHECK(parked[0].id == two.id);  // in the order of ids, not of time
  CHECK(parked[1].id == one.id);
  CHECK(parked[1].origin == one.origin);
  CHECK(parked[1].actor == one.actor);
  CHECK(parked[1].first_seq == one.first_seq);
  CHECK(parked[1].last_seq == one.last_seq);
  CHECK(parked[1].key == one.key);
  CHECK(parked[1].reason == one.reason);
  CHECK(parked[1].bytes == one.bytes);
  CHECK(parked[1].parked_at == one.parked_at);
  Draft forget;
  forget.unparked = {one.id, "never heard of"};
  need(forget.commit(*store));
  CHECK(need(store->parked_count()) == 1);
  CHECK(need(store->parked("", 10)).front().id == two.id);
}

REPLICA_TEST("what was given up by hand is told until the region has it again") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  CHECK(need(store->discarded()).empty());
  Draft draft;
  draft.discarded = {"till/message/7", "shop/00000000000000a1/00000000000000000005/k"};
  need(draft.commit(*store));
  need(draft.commit(*store));  // as after an answer that was lost
  CHECK(need(store->discarded()) ==
        std::vector<std::string>{"shop/00000000000000a1/00000000000000000005/k", "till/message/7"});
  Draft again;
  again.regained = {"shop/00000000000000a1/00000000000000000005/k", "never heard of"};
  need(again.commit(*store));
  CHECK(need(store->discarded()) == std::vector<std::string>{"till/message/7"});
}

}  // namespace tributary::replica_tests

/// What is set aside, which keys wait for it, and what their readers have seen.
#include <algorithm>
#include <chrono>

#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using namespace std::string_literals;
using crdt::ViewKind;

constexpr ActorId kActor{0xfedcba9876543210U};

KeyBlock because(std::string reason, LoweredSeqs before = {{kActor, Seq{3}}}) {
  KeyBlock block;
  block.reason = std::move(reason);
  block.before = std::move(before);
  return block;
}

KeyBlock block_of(ReplicaStore& store, std::string_view key) {
  const KeyLoad load{key, {}};
  return need(store.load({&load, 1})).front().block;
}

Result<std::string> block(ReplicaStore& store, const std::string& key, const std::string& mark,
                          std::optional<KeyBlock> next) {
  Draft draft;
  draft.block(key, mark, std::move(next));
  return draft.commit(store);
}

Result<std::string> write(ReplicaStore& store, const std::string& key) {
  Draft draft;
  draft.key(key, ViewKind::kString, version_of(store, key), {{"s", "1"}}, {put("", "1")});
  return draft.commit(store);
}

void expect_conflict(const Result<std::string>& done) {
  REQUIRE(!done);
  CHECK(done.error().kind == ErrorKind::kConflict);
}

ParkedEntry parked(const std::string& key, std::uint64_t seq, const std::string& origin = "shop") {
  ParkedEntry change;
  change.id = parked_id(OriginName{origin}, kActor, Seq{seq}, key);
  change.origin = OriginName{origin};
  change.actor = kActor;
  change.last_seq = Seq{seq};
  change.key = key;
  return change;
}

}  // namespace

REPLICA_TEST("a blocked key takes no commit but one that knows its mark") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  need(write(*store, "k"));
  need(block(*store, "k", "", because("no such type")));
  const KeyBlock first = block_of(*store, "k");
  CHECK(!first.mark.empty());
  CHECK(first.reason == "no such type");
  CHECK(first.before == LoweredSeqs{{kActor, Seq{3}}});
  CHECK(block_of(*store, "other").mark.empty());
  expect_conflict(write(*store, "k"));
  need(write(*store, "other"));
  expect_conflict(block(*store, "k", "", because("again")));
  expect_conflict(block(*store, "other", first.mark, because("again")));
  KeyBlock more = first;
  more.bodies = 2;
  more.before[ActorId{9}] = Seq{0};  // nothing of it was seen
  need(block(*store, "k", first.mark, more));
  const KeyBlock second = block_of(*store, "k");
  CHECK(second.mark != first.mark);
  CHECK(second.bodies == 2);
  CHECK(second.before == more.before);
  expect_conflict(block(*store, "k", first.mark, std::nullopt));
  Draft retry;
  retry.key("k", ViewKind::kString, version_of(*store, "k"), {{"s", "2"}}, {put("", "2")});
  retry.block("k", second.mark, std::nullopt);
  need(retry.commit(*store));
  CHECK(block_of(*store, "k").mark.empty());
  need(write(*store, "k"));
}

REPLICA_TEST("what readers have seen of a blocked key is lowered, of no other") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft fill;
  need(fill.advance(kActor, 0, 9).advance(ActorId{9}, 0, 5).commit(*store));
  const LoweredSeqs before{{kActor, Seq{3}}, {ActorId{9}, Seq{0}}};
  need(block(*store, "k", "", because("bad bytes", before)));
  const ReplicaContext context = need(store->context());
  CHECK(context.watermark.get(kActor) == Seq{9});
  REQUIRE(context.lowered.size() == 1);
  CHECK(context.lowered.at("k") == before);
  const KeyReading reading = need(store->read("k"));
  CHECK(reading.problem.find("bad bytes") != std::string::npos);
  CHECK(reading.context.get(kActor) == Seq{3});
  CHECK(reading.context.get(ActorId{9}) == Seq{0});
  CHECK(need(store->read("other")).context.get(kActor) == Seq{9});
}

REPLICA_TEST("with too many blocked keys the watermark is lowered for all, and rises again") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft many;
  for (std::uint64_t i = 0; i < 1001; ++i) {
    many.block("k" + std::to_string(i), "", because("bytes", {{kActor, Seq{5 + i}}}));
  }
  need(many.advance(kActor, 0, 99).advance(ActorId{9}, 0, 5).commit(*store));
  const ReplicaContext context = need(store->context());
  CHECK(context.lowered.empty());
  CHECK(context.watermark.get(kActor) == Seq{5});
  CHECK(context.watermark.get(ActorId{9}) == Seq{5});
  Draft none;
  const std::string mark = block_of(*store, "k0").mark;
  for (int i = 0; i < 1001; ++i) none.block("k" + std::to_string(i), mark, std::nullopt);
  need(none.commit(*store));
  CHECK(need(store->context()).watermark.get(kActor) == Seq{99});
}

REPLICA_TEST("blocked keys come in pages in key order, and those left incomplete are counted") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft draft;
  for (const std::string key : {"b", "a", "{c}", "d\n"}) {
    KeyBlock why = because(key);
    why.incomplete = key == "b";
    draft.block(key, "", why);
  }
  draft.parked = {parked("a", 1)};
  need(draft.commit(*store));
  CHECK(need(store->parked_count()) == 4);  // no fewer than there are blocked keys
  std::vector<std::string> keys;
  for (std::string after;;) {
    const auto page = need(store->blocked(after, 3));
    if (page.empty()) break;
    for (const auto& [key, why] : page) {
      CHECK(why.reason == key);
      CHECK(why.incomplete == (key == "b"));
      keys.push_back(key);
    }
    after = keys.back();
  }
  CHECK(keys == std::vector<std::string>{"a", "b", "d\n", "{c}"});
  need(block(*store, "b", block_of(*store, "b").mark, std::nullopt));
  CHECK(need(store->parked_count()) == 3);
}

REPLICA_TEST("what is parked comes in pages, and for one key in the order of its seqs") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  Draft draft;
  for (const std::uint64_t seq : {9U, 10U, 100U}) {
    for (const std::string& key : {"k"s, "k/"s, "kk"s, ""s, "k\0"s}) {
      draft.parked.push_back(parked(key, seq));
    }
  }
  draft.parked.push_back(parked("k", 1, "a shop"));
  need(draft.commit(*store));
  const auto of_key = need(store->parked_for("k", 100));
  REQUIRE(of_key.size() == 4);
  CHECK(of_key[0].origin == OriginName{"a shop"});
  CHECK(of_key[1].last_seq == Seq{9});
  CHECK(of_key[2].last_seq == Seq{10});
  CHECK(of_key[3].last_seq == Seq{100});
  CHECK(need(store->parked_for("k\0"s, 2)).size() == 2);
  CHECK(need(store->parked_for("", 100)).size() == 3);
  std::vector<std::string> ids;
  for (std::string after;;) {
    const auto page = need(store->parked(after, 3));
    if (page.empty()) break;
    for (const ParkedEntry& each : page) ids.push_back(each.id);
    after = ids.back();
  }
  CHECK(ids.size() == 16);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
}

REPLICA_TEST("a hundred thousand parked changes cost nothing but their own pages") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  constexpr std::uint64_t kAtOnce = 10'000;
  for (std::uint64_t first = 0; first < 10 * kAtOnce; first += kAtOnce) {
    Draft draft;
    for (std::uint64_t i = first; i < first + kAtOnce; ++i) {
      draft.parked.push_back(parked("k" + std::to_string(i % 100), i));
      draft.parked.back().bytes.assign(100, 'x');
    }
    need(draft.commit(*store));
  }
  const auto started = std::chrono::steady_clock::now();
  const auto again = subject.open();
  CHECK(need(again->parked_count()) == 10 * kAtOnce);
  need(again->progress());
  need(again->context());
  need(write(*again, "other"));
  const auto page = need(again->parked("", 10));
  REQUIRE(page.size() == 10);
  CHECK(need(again->parked(page.back().id, 10)).front().id > page.back().id);
  const auto some = need(again->parked_for("k7", 10));
  REQUIRE(some.size() == 10);
  CHECK(some.front().last_seq == Seq{7});
  CHECK(some.back().last_seq == Seq{907});
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::milliseconds(500));
  Draft forget;
  for (const ParkedEntry& each : some) forget.unparked.push_back(each.id);
  need(forget.commit(*store));
  CHECK(need(store->parked_for("k7", 1)).front().last_seq == Seq{1007});
  CHECK(need(store->parked_count()) == 10 * kAtOnce - 10);
}

}  // namespace tributary::replica_tests

/// What a writer had seen, as sealing tells it.
#include "outbox/batch/writer_context.h"
#include "tests/unit/outbox/batch/sealing_origin.h"

namespace tributary {
namespace {

using namespace sealing_tests;

/// What writers have seen while changes of actors 8 and 9 are parked for the key of element().
WriterContext parked_for_buyers_1(const VersionVector& watermark) {
  return {watermark, {{"buyers:1", {{ActorId{8}, Seq{2}}, {ActorId{9}, Seq{}}}}}};
}

TEST_CASE_FIXTURE(Origin, "a writer has seen what the origin's former actors wrote") {
  rules.former = {{ActorId{3}, Seq{9}}};
  const Batch sealed = batch({element("remove", "x", VersionVector{}.bytes())});
  CHECK(sealed.contexts.at(0).get(ActorId{3}) == Seq{9});
  CHECK(sealed.predecessor == FormerActor{ActorId{3}, Seq{9}});
}

TEST_CASE_FIXTURE(Origin, "a context that the writer gave counts as given, up to what is known") {
  rules.former = {{ActorId{3}, Seq{9}}};
  rules.known.raise(ActorId{8}, Seq{4});
  VersionVector context;
  context.raise(ActorId{3}, Seq{5});
  context.raise(ActorId{8}, Seq{std::uint64_t{1} << 62});
  context.raise(ActorId{9}, Seq{1});
  const std::string bytes = context.bytes();
  OutboxRow row = element("remove", "x", bytes);
  row.exact = true;
  const SealResult sealing = seals({row});
  const Batch sealed = only(sealing);
  CHECK(sealed.contexts.at(0).get(ActorId{3}) == Seq{5});
  CHECK(sealed.contexts.at(0).get(ActorId{8}) == Seq{4});
  CHECK(sealed.contexts.at(0).get(ActorId{9}) == Seq{});
  CHECK(sealing.capped == 1);
}

TEST_CASE_FIXTURE(Origin, "a context that this database never told anybody is parked, not obeyed") {
  rules.former = {{ActorId{3}, Seq{9}}};
  rules.known.raise(ActorId{8}, Seq{4});
  VersionVector context;
  std::string who;
  SUBCASE("of another actor, one change too far") {
    context.raise(ActorId{8}, Seq{5});
    who = "change 5 of actor 0000000000000008, but this outbox was never told of more than 4";
  }
  SUBCASE("of another actor, as far as numbers go") {
    context.raise(ActorId{8}, Seq{~std::uint64_t{}});
    who = "change 18446744073709551615 of actor 0000000000000008";
  }
  SUBCASE("of an actor that nobody knows") {
    context.raise(ActorId{9}, Seq{1});
    who = "change 1 of actor 0000000000000009, but this outbox was never told of more than 0";
  }
  SUBCASE("of a former actor, beyond its end") {
    context.raise(ActorId{3}, Seq{10});
    who = "change 10 of actor 0000000000000003, but this outbox was never told of more than 9";
  }
  const std::string bytes = context.bytes();
  const SealResult sealing =
      seals(in_transaction(1, {element("add", "y"), element("clear", {}, bytes)}));
  REQUIRE(sealing.parked.size() == 2);
  CHECK_MESSAGE(sealing.parked[1].reason.find(who) != std::string::npos, sealing.parked[1].reason);
  CHECK(sealing.batches.empty());
  CHECK(sealing.capped == 0);
}

TEST_CASE_FIXTURE(Origin,
                  "a context that this database told once is obeyed, whatever it tells now") {
  rules.known.raise(ActorId{8}, Seq{4});
  VersionVector context;
  context.raise(ActorId{7}, Seq{99});  // the own actor's counts up to the change itself, anyway
  context.raise(ActorId{8}, Seq{4});
  const std::string bytes = context.bytes();
  const Batch sealed = batch({element("remove", "x", bytes)});
  CHECK(sealed.contexts.at(0).get(ActorId{8}) == Seq{4});
  CHECK(sealed.contexts.at(0).get(ActorId{7}) == Seq{});
}

TEST_CASE_FIXTURE(Origin, "what is parked for a key was not seen by a writer of that key") {
  VersionVector watermark;
  watermark.raise(ActorId{8}, Seq{4});
  watermark.raise(ActorId{9}, Seq{4});
  rules.known = watermark;
  const std::string bytes = parked_for_buyers_1(watermark).bytes();
  OutboxRow other = element("remove", "x", bytes);
  other.key = "buyers:2";
  const Batch sealed = batch({element("remove", "x", bytes), other});
  REQUIRE(sealed.contexts.size() == 2);
  CHECK(sealed.contexts[0].get(ActorId{8}) == Seq{2});
  CHECK(sealed.contexts[0].get(ActorId{9}) == Seq{});
  CHECK(sealed.contexts[1].get(ActorId{8}) == Seq{4});
}

TEST_CASE_FIXTURE(Origin, "what the database itself wrote was seen, whatever is parked") {
  VersionVector watermark;
  watermark.raise(ActorId{7}, Seq{9});
  watermark.raise(ActorId{8}, Seq{4});
  rules.former = {{ActorId{8}, Seq{6}}};
  rules.known = watermark;
  const std::string bytes = parked_for_buyers_1(watermark).bytes();
  const Batch sealed = batch({element("add", "y"), element("remove", "x", bytes)});
  CHECK(sealed.contexts.at(0).get(ActorId{8}) == Seq{6});
}

TEST_CASE_FIXTURE(Origin, "a token is no more than a version vector") {
  OutboxRow row = element("remove", "x", {});
  const std::string bytes = parked_for_buyers_1({}).bytes();
  row.context = bytes;
  row.exact = true;
  const SealResult sealing = seals({row});
  REQUIRE(sealing.parked.size() == 1);
  CHECK(sealing.parked[0].reason.find("does not decode") != std::string::npos);
}

TEST_CASE_FIXTURE(Origin, "no timestamp leaves the times that are obeyed") {
  head.hlc = kMaxHlc;
  rules.seen = kMaxHlc;
  CHECK(batch({set("a", kMaxHlc.value), set("b", kMaxHlc.value)}).hlc == kMaxHlc);
  CHECK(kMaxClock < kMaxHlc);
}

TEST_CASE_FIXTURE(Origin, "a timestamp is never clamped below what the writers had seen") {
  rules.seen = Hlc{5000};
  CHECK(batch({set("a", 5001)}, Hlc{1000}).hlc == Hlc{5001});
  CHECK(batch({set("b", 9000)}, Hlc{1000}).hlc == Hlc{5002});
}

}  // namespace
}  // namespace tributary

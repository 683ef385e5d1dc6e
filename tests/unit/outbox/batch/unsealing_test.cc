#include "outbox/batch/unsealing.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/unit/outbox/batch/sealing_origin.h"

namespace tributary {
namespace {

using sealing_tests::Origin;

constexpr ActorId kOther{5};
constexpr ActorId kFormer{7};
constexpr ActorId kPresent{8};

Origin origin_of(ActorId actor) {
  Origin origin;
  origin.head.actor = actor;
  origin.rules.known.raise(kOther, Seq{100});
  origin.rules.former = {{kFormer, Seq{0}}};
  if (actor == kFormer) origin.rules.former.clear();
  return origin;
}

/// What a reader sees of all keys after the batches.
std::string view_after(const std::vector<Batch>& batches) {
  std::map<std::string, crdt::State> states;
  std::map<std::string, const crdt::Type*> types;
  VersionVector watermark;
  for (const Batch& batch : batches) {
    for (const Delta& delta : batch.deltas) {
      types[delta.key] = delta.type.known;
      states[delta.key].set_complete();
      REQUIRE(types[delta.key]->touched(delta.body, bounds_of(batch)));
      crdt::ViewEdits edits;
      types[delta.key]->join(delta.body, {batch.actor, delta.last_seq, batch.contexts, &watermark},
                             states[delta.key], edits);
    }
    watermark.raise(batch.actor, batch.last_seq);
  }
  std::string view;
  for (const auto& [key, state] : states) {
    for (const crdt::ViewEdit& edit : types[key]->render(state)) {
      const crdt::ViewEntry entry = *crdt::entry_of(edit);
      view.append(key).append(" ").append(entry.name).append("=").append(entry.value).append("; ");
    }
  }
  return view;
}

std::vector<OutboxRow> random_rows(std::mt19937_64& random, bool observing) {
  static const std::string kElements[] = {"x", "y", "z"};
  static const std::string kSeen[] = {[] {
                                        VersionVector seen;
                                        seen.raise(kOther, Seq{2});
                                        return seen.bytes();
                                      }(),
                                      [] {
                                        VersionVector seen;
                                        seen.raise(kOther, Seq{100});
                                        return seen.bytes();
                                      }()};
  std::vector<OutboxRow> rows;
  for (std::size_t count = 1 + random() % 12; count > 0; --count) {
    const std::string& element = kElements[random() % 3];
    switch (random() % 6) {
      case 0:
        rows.push_back(counter_add("stock:1", static_cast<std::int64_t>(random() % 9) - 4));
        break;
      case 1: rows.push_back(sealing_tests::set(element)); break;
      case 2: rows.push_back(change_row("price:1", "register", "clear")); break;
      case 3:
        if (observing)
          rows.push_back(sealing_tests::element("remove", element, kSeen[random() % 2]));
        break;
      case 4:
        if (observing) rows.push_back(sealing_tests::element("clear", {}, kSeen[random() % 2]));
        break;
      default: rows.push_back(sealing_tests::element("add", element));
    }
  }
  if (rows.empty()) rows.push_back(counter_add("stock:1", 1));
  return rows;
}

std::vector<OutboxRow> views(const std::vector<UnsealedRow>& rows) {
  std::vector<OutboxRow> views;
  for (const UnsealedRow& row : rows) views.push_back(row.view());
  return views;
}

}  // namespace

TEST_CASE("rows of a batch do what the batch did, under whatever actor they are sealed") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 3000; ++round) {
    Origin other = origin_of(kOther);
    Origin former = origin_of(kFormer);
    const Batch before = other.batch(random_rows(random, false));
    former.head.hlc = other.head.hlc;
    const Batch first = former.batch(random_rows(random, true));
    const Batch second = former.batch(random_rows(random, true));
    Origin present = origin_of(kPresent);
    present.head.hlc = former.head.hlc;
    std::vector<Batch> anew{before};
    for (const Batch* batch : {&first, &second}) {
      const auto rows = unseal(*batch, present.rules.former);
      REQUIRE(rows);
      if (!rows->empty()) anew.push_back(present.batch(views(*rows)));
    }
    CHECK(view_after({before, first, second}) == view_after(anew));
  }
}

TEST_CASE("rows of a batch are the same rows however often they are made") {
  Origin former = origin_of(kFormer);
  const Batch batch = former.batch({counter_add("stock:1", 4), counter_add("stock:1", -1)});
  const Batch later = former.batch({counter_add("stock:1", 4)});
  const auto once = unseal(batch, {});
  const auto again = unseal(batch, {});
  REQUIRE(once->size() == 2);
  CHECK((*once)[0].amount == 4);
  CHECK((*once)[1].amount == -1);
  CHECK((*once)[0].transaction > std::int64_t{1} << 61);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK((*once)[i].tag == (*again)[i].tag);
    CHECK((*once)[i].id == (*again)[i].id);
    CHECK((*once)[i].transaction == (*again)[i].transaction);
  }
  CHECK((*unseal(later, {}))[0].tag != (*once)[0].tag);
}

TEST_CASE("a token that had seen little of its own actor goes on to see no more") {
  Origin former = origin_of(kFormer);
  former.batch({sealing_tests::element("add", "x")});
  OutboxRow remove = sealing_tests::element("remove", "x");
  VersionVector seen;
  seen.raise(kOther, Seq{3});
  const std::string context = seen.bytes();
  remove.context = context;
  remove.exact = true;
  former.rules.known.raise(kOther, Seq{3});
  const Batch batch = former.batch({remove});
  const auto rows = unseal(batch, std::vector<FormerActor>{{kOther, Seq{2}}, {kFormer, Seq{1}}});
  REQUIRE(rows->size() == 1);
  CHECK((*rows)[0].exact);
  const auto kept = VersionVector::from_bytes(*(*rows)[0].context);
  CHECK(kept->get(kOther) == Seq{2});  // no more than the former actor's final seq
  CHECK(kept->get(kFormer) == Seq{0});
}

TEST_CASE("what writers had seen is kept once, however many rows say it") {
  Origin former = origin_of(kFormer);
  VersionVector seen;
  seen.raise(kOther, Seq{3});
  const std::string context = seen.bytes();
  std::vector<OutboxRow> removes;
  for (const char* const element : {"x", "y", "z"}) {
    removes.push_back(sealing_tests::element("remove", element));
    removes.back().context = context;
  }
  former.rules.known.raise(kOther, Seq{3});
  const auto rows = unseal(former.batch(removes), {});
  REQUIRE(rows->size() == 3);
  CHECK(*(*rows)[0].context == context);
  CHECK((*rows)[1].context == (*rows)[0].context);
  CHECK((*rows)[2].context == (*rows)[0].context);
}

TEST_CASE("a batch of a type that this program does not know is not unsealed") {
  Batch batch{.actor = kFormer,
              .origin = {"shop"},
              .first_seq = Seq{1},
              .last_seq = Seq{1},
              .hlc = {},
              .deltas = {{"graph:1", "graph", Seq{1}, "body"}}};
  const auto rows = unseal(batch, {});
  REQUIRE(!rows);
  CHECK(rows.error().message.find("does not know type \"graph\"") != std::string::npos);
}

}  // namespace tributary

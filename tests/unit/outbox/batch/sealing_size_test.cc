/// Batches are bounded, whatever the rows.
#include <algorithm>
#include <deque>

#include "outbox/batch/batch_draft.h"
#include "tests/unit/outbox/batch/sealing_origin.h"

namespace tributary {
namespace {

using namespace sealing_tests;

TEST_CASE_FIXTURE(Origin, "batches are cut by encoded size, between transactions") {
  rules.batch_bytes = 1000;
  std::vector<OutboxRow> rows;
  const std::string value(100, 'v');
  for (std::int64_t tx = 1; tx <= 30; ++tx) {
    for (const OutboxRow& row : in_transaction(tx, {set(value), element("add", value)})) {
      rows.push_back(row);
    }
  }
  const SealResult sealing = seals(rows);
  CHECK(sealing.batches.size() > 5);
  CHECK(sealing.pieces == 0);
  Seq next{1};
  for (const SealedBatch& sealed : sealing.batches) {
    CHECK(sealed.first_seq == next);
    CHECK(sealed.last_seq.value % 2 == 0);  // both changes of a transaction
    next = sealed.last_seq.next();
  }
  CHECK(sealing.head.seq == Seq{60});
}

/// Keys that nobody changed before, with as many digits each.
std::vector<std::string> fresh_keys(std::size_t count) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) keys.push_back("stock:" + std::to_string(100'000 + i));
  return keys;
}

TEST_CASE_FIXTURE(Origin, "a transaction whose changes encode to less than a piece stays whole") {
  std::vector<std::string> texts;  // rows point into it
  std::vector<OutboxRow> rows;
  SUBCASE("as many adds as a transaction may have, to different counters") {
    texts = fresh_keys(100'000);
    for (const std::string& text : texts) rows.push_back(counter_add(text, 1));
  }
  SUBCASE("… to one counter, and many more") {
    for (int i = 0; i < 500'000; ++i) rows.push_back(counter_add("stock:1", 1));
  }
  SUBCASE("a register that is set again and again: the last value counts") {
    for (int i = 0; i < 20; ++i) rows.push_back(set(std::string_view(kLong).substr(0, 1 << 20)));
  }
  SUBCASE("an element that is removed again and again with the same large context") {
    VersionVector context;
    for (std::uint64_t actor = 1; actor <= 50'000; ++actor) context.raise(ActorId{actor}, Seq{1});
    rules.known = context;
    texts.push_back(context.bytes());
    for (int i = 0; i < 1000; ++i) rows.push_back(element("remove", "e", texts[0]));
  }
  SUBCASE("behind a small transaction, in the same seal") {
    texts = fresh_keys(100'000);
    rows.push_back(set(std::string_view(kLong).substr(0, 1 << 20)));
    for (const std::string& text : texts) rows.push_back(counter_add(text, 1));
    for (std::size_t i = 1; i < rows.size(); ++i) rows[i].transaction = 1;
    rows[0].transaction = 2;
  }
  for (OutboxRow& row : rows) row.transaction = std::max<std::int64_t>(row.transaction, 1);
  const SealResult sealing = seals(rows);
  CHECK(sealing.pieces == 0);
  CHECK(sealing.head.seq == Seq{rows.size()});
}

TEST_CASE_FIXTURE(Origin, "large transactions written at the same time stay whole, each") {
  const std::string_view value = std::string_view(kLong).substr(0, 1 << 20);
  std::vector<std::string> keys;
  for (int i = 0; i < 30; ++i) keys.push_back("price:" + std::to_string(i));
  std::vector<OutboxRow> rows;  // of three transactions, in turns
  for (int i = 0; i < 15; ++i) {
    rows.push_back(change_row(keys[i], "register", "set", value));
    rows.back().transaction = 1 + i % 3;
  }
  // The last one of transaction 1 comes first: a row lock would have let it through first.
  rows.push_back(change_row(keys[15], "register", "set", value));
  rows.back().transaction = 3;
  rows.push_back(change_row(keys[16], "register", "set", "small"));
  rows.back().transaction = 2;
  const SealResult sealing = seals(rows);
  CHECK(sealing.pieces == 0);
  REQUIRE(sealing.batches.size() == 3);
  std::vector<std::int64_t> order;
  for (const SealedBatch& sealed : sealing.batches) {
    const Batch batch = *decode_batch(sealed.bytes);
    for (const ConsumedRows& each : batch.rows)
      CHECK(each.transaction == batch.rows[0].transaction);
    order.push_back(batch.rows[0].transaction);
  }
  CHECK(order == std::vector<std::int64_t>{1, 3, 2});
}

TEST_CASE_FIXTURE(Origin, "the size of a draft is never told as less than it is") {
  VersionVector small;
  small.raise(ActorId{8}, Seq{1});
  VersionVector large = small;
  for (std::uint64_t actor = 100; actor < 140; ++actor) large.raise(ActorId{actor}, Seq{actor});
  const std::vector<const VersionVector*> contexts{&small, &large};
  const std::vector<std::string> keys{"a", "b", std::string(300, 'k')};
  std::deque<std::string> texts;  // rows point into it
  const crdt::Type& sets = *crdt::find_type("set");
  OriginHead head = kFresh;
  BatchDraft draft(head, rules.former);
  std::uint64_t dice = 1;
  const auto roll = [&](std::uint64_t sides) {
    dice = dice * 6364136223846793005U + 1442695040888963407U;
    return (dice >> 33) % sides;
  };
  std::deque<OutboxRow> rows;
  for (std::int64_t id = 1; id <= 3000; ++id) {
    OutboxRow& row = rows.emplace_back(element(roll(3) == 0   ? "add"
                                               : roll(9) == 0 ? "clear"
                                                              : "remove",
                                               {}));
    row.id = id;
    row.transaction = static_cast<std::int64_t>(roll(2));
    const std::size_t key = roll(keys.size());
    row.key = keys[key];
    const std::string value(roll(4), 'v');
    texts.push_back(row.operation == "clear" ? "" : value);
    row.value = texts.back();
    head.seq = head.seq.next();
    const crdt::Operation* operation = crdt::find_operation(sets, row.operation);
    const VersionVector* context = operation->observes ? contexts[roll(2)] : nullptr;
    draft.add(row, key, sets,
              {.seq = head.seq,
               .hlc = Hlc{},
               .operation = operation,
               .field = {},
               .value = row.value,
               .totals = {},
               .context = context,
               .own = Seq{head.seq.value - 1}},
              context == nullptr ? 0 : context->bytes().size());
    if (roll(3) > 0) continue;  // rows that are only noted
    const std::size_t bytes = draft.encode(head).bytes.size();
    if (roll(2) > 0) CHECK_FALSE(draft.within(bytes - 1));
    else CHECK(bytes <= draft.bytes());
    if (roll(50) == 0) CHECK(draft.measure(head) <= draft.bytes());
  }
}

TEST_CASE_FIXTURE(Origin,
                  "what shared a large context and is removed again with others fits, too") {
  constexpr int kElements = 6000;
  VersionVector large;
  for (std::uint64_t actor = 1; actor <= 200; ++actor) large.raise(ActorId{actor}, Seq{1});
  rules.known = large;
  rules.known.raise(ActorId{1}, Seq{1'000'000});
  const std::string shared = large.bytes();
  std::deque<std::string> texts;  // rows point into it
  std::vector<OutboxRow> together;
  std::vector<OutboxRow> each;
  for (std::uint64_t i = 0; i < kElements; ++i) {
    const std::string& name = texts.emplace_back("e" + std::to_string(i));
    VersionVector small;
    small.raise(ActorId{1}, Seq{2 + i});
    together.push_back(element("remove", name, shared));
    together.back().transaction = 1;
    each.push_back(element("remove", name, texts.emplace_back(small.bytes())));
    each.back().exact = true;
  }
  std::vector<OutboxRow> rows;
  SUBCASE("all at once, then one by one") {
    rows = together;
    rows.insert(rows.end(), each.begin(), each.end());
  }
  SUBCASE("one by one, then all at once") {
    rows = each;
    rows.insert(rows.end(), together.begin(), together.end());
  }
  const SealResult sealing = seals(rows);  // checks that each batch is small enough
  CHECK(sealing.pieces == 0);
  CHECK(sealing.head.seq == Seq{rows.size()});
}

TEST_CASE_FIXTURE(Origin, "a transaction too large for one batch is sealed in pieces") {
  std::vector<OutboxRow> rows;
  const std::string value(100'000, 'v');
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) keys.push_back("price:" + std::to_string(i));
  for (const std::string& key : keys) rows.push_back(change_row(key, "register", "set", value));
  const SealResult sealing = seals(in_transaction(1, rows));
  CHECK(sealing.batches.size() >= 4);
  CHECK(sealing.pieces == sealing.batches.size() - 1);
  CHECK(sealing.head.seq == Seq{300});
  CHECK(keys_in(sealing).size() == 300);
}

TEST_CASE_FIXTURE(Origin, "no rows that pass the checks make a batch above the limit") {
  std::vector<std::string> texts;  // rows point into it
  std::vector<OutboxRow> rows;
  SUBCASE("each remove with a context of its own, of many actors") {
    VersionVector context;
    for (std::uint64_t actor = 1; actor <= 800; ++actor) {
      context.raise(ActorId{actor * 0x9e3779b97f4a7c15U}, Seq{1'000'000});
    }
    for (std::uint64_t i = 0; i < 16'384; ++i) {
      context.raise(ActorId{0x9e3779b97f4a7c15U}, Seq{1'000'000 + i});
      texts.push_back(context.bytes());
    }
    rules.known = context;
    for (const std::string& text : texts) rows.push_back(element("remove", "e", text));
  }
  SUBCASE("the largest values and keys, one transaction") {
    for (int i = 0; i < 40; ++i)
      texts.push_back("price:" + std::string(1000, 'k') + std::to_string(i));
    const std::string_view value = std::string_view(kLong).substr(0, std::size_t{1} << 20);
    for (const std::string& text : texts) {
      rows.push_back(change_row(text, "register", "set", value));
      rows.back().transaction = 1;
    }
  }
  SUBCASE("a hundred thousand short changes") {
    for (int i = 0; i < 100'000; ++i) texts.push_back("stock:" + std::to_string(i));
    for (const std::string& text : texts) {
      rows.push_back(counter_add(text, 1));
      rows.back().transaction = 1;
    }
  }
  SUBCASE("more changes to one counter than a batch may claim") {
    rules.piece_changes = 1000;
    for (int i = 0; i < 2500; ++i) {
      rows.push_back(counter_add("stock:1", 1));
      rows.back().transaction = 1;
    }
  }
  const std::size_t count = rows.size();
  const SealResult sealing = seals(std::move(rows));  // checks each batch's size
  CHECK(sealing.parked.empty());
  CHECK(sealing.head.seq == Seq{count});
  for (const SealedBatch& sealed : sealing.batches) {
    const auto batch = decode_batch(sealed.bytes);
    REQUIRE(batch);
    CHECK(batch->last_seq.value - batch->first_seq.value < rules.piece_changes);
  }
}

}  // namespace
}  // namespace tributary

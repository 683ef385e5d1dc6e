/// Batches are bounded, whatever the rows.
#include <tributary/tests/unit/outbox/sealing_origin.h>

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
  const Sealing sealing = seals(rows);
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

TEST_CASE_FIXTURE(Origin, "a transaction too large for one batch is sealed in pieces") {
  std::vector<OutboxRow> rows;
  const std::string value(100'000, 'v');
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) keys.push_back("price:" + std::to_string(i));
  for (const std::string& key : keys) rows.push_back(change_row(key, "register", "set", value));
  const Sealing sealing = seals(in_transaction(1, rows));
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
    for (std::uint64_t i = 0; i < 2 * kMostChanges; ++i) {
      rows.push_back(counter_add("stock:1", 1));
      rows.back().transaction = 1;
    }
  }
  const std::size_t count = rows.size();
  const Sealing sealing = seals(std::move(rows));  // checks each batch's size
  CHECK(sealing.parked.empty());
  CHECK(sealing.head.seq == Seq{count});
  for (const SealedBatch& sealed : sealing.batches) CHECK(decode_batch(sealed.bytes).has_value());
}

}  // namespace
}  // namespace tributary

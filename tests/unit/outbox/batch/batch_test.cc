/// The batch codec: bad bytes never get through.
#include "outbox/batch/batch.h"

#include <limits>

#include <doctest/doctest.h>

#include "tests/golden/sample_batch.h"

namespace tributary {
namespace {

void check_equal(const Batch& a, const Batch& b) {
  CHECK(a.actor == b.actor);
  CHECK(a.origin == b.origin);
  CHECK(a.first_seq == b.first_seq);
  CHECK(a.last_seq == b.last_seq);
  CHECK(a.hlc == b.hlc);
  CHECK(a.predecessor == b.predecessor);
  CHECK(a.earlier == b.earlier);
  CHECK(a.former_history == b.former_history);
  CHECK(a.before == b.before);
  CHECK(a.contexts == b.contexts);
  REQUIRE(a.rows.size() == b.rows.size());
  for (std::size_t i = 0; i < a.rows.size(); ++i) {
    CHECK(a.rows[i].transaction == b.rows[i].transaction);
    CHECK(a.rows[i].first_id == b.rows[i].first_id);
    CHECK(a.rows[i].last_id == b.rows[i].last_id);
    CHECK(a.rows[i].tag == b.rows[i].tag);
  }
  REQUIRE(a.deltas.size() == b.deltas.size());
  for (std::size_t i = 0; i < a.deltas.size(); ++i) {
    CHECK(a.deltas[i].key == b.deltas[i].key);
    CHECK(a.deltas[i].type == b.deltas[i].type);
    CHECK(a.deltas[i].last_seq == b.deltas[i].last_seq);
    CHECK(a.deltas[i].body == b.deltas[i].body);
  }
}

Error refusal(std::string_view bytes) {
  const auto decoded = decode_batch(bytes);
  REQUIRE_FALSE(decoded.has_value());
  CHECK(decoded.error().kind == ErrorKind::kPoison);
  return decoded.error();
}

bool says(const Error& error, std::string_view words) {
  INFO(error.message);
  return error.message.find(words) != std::string::npos;
}

TEST_CASE("what was encoded decodes to the same batch") {
  const auto decoded = decode_batch(encode(sample_batch()));
  REQUIRE(decoded.has_value());
  check_equal(*decoded, sample_batch());
}

TEST_CASE("a batch with an unknown type decodes: its deltas are the consumer's to park") {
  Batch batch = sample_batch();
  batch.deltas[0].type = "from the future";
  CHECK(decode_batch(encode(batch))->deltas[0].type == "from the future");
}

TEST_CASE("a truncated batch is refused, or holds nothing that was not there") {
  const std::string whole = encode(sample_batch());
  const Batch expected = sample_batch();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto decoded = decode_batch(std::string_view(whole).substr(0, length));
    if (!decoded) {
      CHECK(decoded.error().kind == ErrorKind::kPoison);
      continue;
    }
    CAPTURE(length);
    REQUIRE(decoded->deltas.size() <= expected.deltas.size());
    for (std::size_t i = 0; i < decoded->deltas.size(); ++i) {
      CHECK(decoded->deltas[i].key == expected.deltas[i].key);
      CHECK(decoded->deltas[i].body == expected.deltas[i].body);
    }
  }
}

TEST_CASE("no single flipped bit crashes the decoder") {
  const std::string whole = encode(sample_batch());
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    const auto decoded = decode_batch(damaged);
    if (!decoded) CHECK(decoded.error().kind == ErrorKind::kPoison);
  }
}

TEST_CASE("a batch that claims what cannot be is refused") {
  Batch batch = sample_batch();
  std::string why;
  SUBCASE("a delta from before the batch") {
    batch.deltas[0].last_seq = Seq{40}, why = "outside of the batch";
  }
  SUBCASE("a delta from behind the batch") {
    batch.deltas[0].last_seq = Seq{46}, why = "outside of the batch";
  }
  SUBCASE("a time near the end of all numbers") {
    batch.hlc = Hlc{~std::uint64_t{0} - 1}, why = "beyond the year 2100";
  }
  SUBCASE("an actor that followed itself") {
    batch.predecessor->actor = batch.actor, why = "names itself";
  }
  SUBCASE("an actor that was before itself") {
    batch.earlier[1].actor = batch.actor, why = "own actor";
  }
  SUBCASE("more former actors than a batch names") {
    batch.earlier.resize(kMostFormer, {ActorId{4}, Seq{}}), why = "too many";
  }
  CHECK(says(refusal(encode(batch)), why));
}

TEST_CASE("a batch that claims other seqs than what it holds accounts for is refused") {
  Batch batch = sample_batch();
  std::string why;
  SUBCASE("all numbers there are, and nothing in it") {
    batch.rows.clear(), batch.deltas.clear();
    batch.last_seq = Seq{std::uint64_t{1} << 40}, why = "claims more than";
  }
  SUBCASE("a heartbeat of a head that no origin reaches") {
    batch.rows.clear(), batch.deltas.clear();
    batch.last_seq = Seq{std::uint64_t{1} << 62}, batch.first_seq = batch.last_seq.next();
    why = "no origin reaches";
  }
  SUBCASE("a predecessor that nobody catches up with") {
    batch.predecessor->final_seq = Seq{std::uint64_t{1} << 62}, why = "no origin reaches";
  }
  SUBCASE("one before it that nobody catches up with") {
    batch.earlier[1].final_seq = Seq{std::uint64_t{1} << 62}, why = "no origin reaches";
  }
  SUBCASE("some, and nothing in it") {
    batch.rows.clear(), batch.deltas.clear(), why = "nothing of its last change";
  }
  SUBCASE("some, and only rows that were discarded") {
    batch.deltas.clear(), why = "nothing of its last change";
  }
  SUBCASE("behind its last change") { batch.last_seq = Seq{46}, why = "nothing of its last"; }
  SUBCASE("more than its rows") {
    batch.last_seq = batch.deltas[1].last_seq = Seq{46}, why = "accounts for 5";
  }
  SUBCASE("fewer than its rows") { batch.rows[0].last_id = 1004, why = "accounts for 6"; }
  SUBCASE("more than any seal makes, with rows to match") {
    batch.last_seq = batch.deltas[1].last_seq = Seq{41 + kMostChanges};
    batch.rows = {{.transaction = 1, .first_id = 1, .last_id = 1 + int{kMostChanges}}};
    why = "claims more than";
  }
  SUBCASE("rows of a run that wraps around") {
    batch.rows[0].first_id = std::numeric_limits<std::int64_t>::min();
    batch.rows[0].last_id = std::numeric_limits<std::int64_t>::max();
    why = "accounts for";
  }
  SUBCASE("no rows, and more changes than bytes") {
    batch.rows.clear();
    batch.last_seq = batch.deltas[1].last_seq = Seq{1000}, why = "claims 960 changes";
  }
  CHECK(says(refusal(encode(batch)), why));
}

TEST_CASE("a piece of a batch that was set aside needs neither rows nor the last change") {
  Batch batch = sample_batch();
  batch.rows.clear();
  batch.deltas.resize(1);
  CHECK_FALSE(decode_batch(encode(batch)).has_value());
  CHECK(decode_piece(encode(batch)).has_value());
}

TEST_CASE("a format above ours is refused with a message that says to upgrade") {
  std::string newer = encode(sample_batch());
  REQUIRE(newer.substr(0, 2) == "\x08\x02");  // field 1, format 2
  newer[1] = '\x03';
  const Error error = refusal(newer);
  CHECK(says(error, "format 3"));
  CHECK(says(error, "upgrade"));
}

TEST_CASE("no bytes at all, and bytes without a format, are no batch") {
  CHECK(says(refusal(""), "format 0"));
  CHECK(says(refusal(encode(sample_batch()).substr(2)), "format 0"));
}

TEST_CASE("text is no batch") { CHECK(says(refusal("hello, world"), "do not parse")); }

TEST_CASE("a message above the limit is refused before it is parsed") {
  CHECK(says(refusal(std::string(kMaxBatchBytes + 1, 'x')), "the limit is 8388608"));
}

TEST_CASE("a batch whose numbers make no sense is refused") {
  Batch batch = sample_batch();
  SUBCASE("first seq 0") { batch.first_seq = Seq{0}; }
  SUBCASE("last before first") { batch.last_seq = Seq{39}; }
  SUBCASE("a heartbeat with changes") { batch.last_seq = Seq{40}; }
  static_cast<void>(refusal(encode(batch)));
}

TEST_CASE("a context that does not decode makes the batch poison") {
  std::string damaged = encode(sample_batch());
  const std::string empty_context("\x4a\x01\x00", 3);  // field 9, one byte: no entries
  const std::size_t at = damaged.find(empty_context);
  REQUIRE(at != std::string::npos);
  damaged[at + 2] = '\x05';  // claims five entries
  CHECK(says(refusal(damaged), "context does not decode"));
}

}  // namespace
}  // namespace tributary

/// What `tributary parked` prints.
#include "cli/parked_text.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <tributary/crdt/type.h>

#include "outbox/batch/batch.h"

namespace tributary::cli {
namespace {

using nlohmann::json;

ParkedChange row(const std::string& reason) {
  ParkedChange change;
  change.position = 9;
  change.transaction = 42;
  change.key = "stock:1";
  change.type = "counter";
  change.operation = "add";
  change.amount = -3;
  change.hlc = Hlc::from_micros(1'764'000'000'000'000);
  change.reason = reason;
  change.parked_at = Micros{1'764'000'001'000'000};
  return change;
}

/// A parked change that adds 5 to a counter.
ParkedEntry entry() {
  const crdt::Type& type = *crdt::find_type("counter");
  const crdt::SealedChange change{.seq = Seq{12},
                                  .hlc = Hlc{1},
                                  .operation = crdt::find_operation(type, "add"),
                                  .field = {},
                                  .value = {},
                                  .amount = 5,
                                  .totals = {5, 0},
                                  .context = nullptr,
                                  .own = Seq{11}};
  crdt::ContextTable contexts;
  Batch batch;
  batch.actor = ActorId{0xa1};
  batch.origin = OriginName{"shop"};
  batch.first_seq = Seq{10};
  batch.last_seq = Seq{12};
  batch.hlc = Hlc::from_micros(1'764'000'000'000'000);
  batch.deltas = {{"stock:1", "counter", Seq{12}, type.seal(batch.actor, {&change, 1}, contexts)}};
  ParkedEntry parked;
  parked.id = "shop/00000000000000a1/00000000000000000012/stock:1";
  parked.origin = batch.origin;
  parked.actor = batch.actor;
  parked.first_seq = batch.first_seq;
  parked.last_seq = batch.last_seq;
  parked.key = "stock:1";
  parked.reason = "the key holds a Redis list";
  parked.bytes = encode(batch);
  parked.parked_at = Micros{1'764'000'001'000'000};
  return parked;
}

TEST_CASE("a row at an origin is told with its transaction, change and reason") {
  CHECK(entry_text("shop", row("no keyspace matches")) ==
        "2025-11-24T16:00:01Z  shop  transaction 42: counter add \"stock:1\" -3\n"
        "  no keyspace matches\n");
  const json told = json::parse(entry_json("shop", row("no keyspace matches")));
  CHECK(told["id"] == "42");
  CHECK(told["in_doubt"] == false);
  CHECK(told["written_at"] == "2025-11-24T16:00:00Z");
  CHECK(told["amount"] == -3);
}

TEST_CASE("a row is in doubt when the relay says that a restore left it so") {
  CHECK(json::parse(entry_json("shop", row("in doubt after a restore: …")))["in_doubt"] == true);
  CHECK_FALSE(in_doubt("no keyspace matches"));
  const std::string advice = doubt_advice("shop");
  CHECK(advice.find("count once more") != std::string::npos);
  CHECK(advice.find("discard --origin shop") != std::string::npos);
}

TEST_CASE("any bytes in a row leave lines and JSON whole") {
  ParkedChange change = row("bad\nreason\x1b[2J");
  change.key = std::string("a\0\xff", 3);
  change.value = std::string(5000, '\x07');
  const std::string line = entry_text("shop", change);
  CHECK(std::count(line.begin(), line.end(), '\n') == 2);
  CHECK(line.find('\x1b') == std::string::npos);
  CHECK(line.find("\"a\\x00\\xff\"") != std::string::npos);
  CHECK(line.size() < 1000);
  CHECK(json::parse(entry_json("shop", change))["value"] == change.value);
  const std::string details = details_text("shop", change);
  CHECK(details.find('\x07') == std::string::npos);
  CHECK(details.size() > 4 * 5000);  // show tells all of it
}

TEST_CASE("an entry of a region is told with its id and reason") {
  CHECK(entry_text("eu", entry()) ==
        "2025-11-24T16:00:01Z  eu  shop/00000000000000a1/00000000000000000012/stock:1\n"
        "  the key holds a Redis list\n");
  const json told = json::parse(entry_json("eu", entry()));
  for (const char* field : {"id", "origin", "actor", "first_seq", "last_seq", "key", "reason",
                            "bytes", "parked_at", "region"}) {
    CHECK(told.contains(field));
  }
}

TEST_CASE("the details of an entry show what its bytes would do, and how its key is blocked") {
  KeyBlock block;
  block.mark = "m";
  block.before[ActorId{0xa1}] = Seq{9};
  block.bodies = 2;
  block.reason = "why";
  const std::string details = details_text("eu", entry(), block);
  for (const char* wanted :
       {"origin \"shop\", actor 00000000000000a1, changes 10 to 12",
        "key \"stock:1\", type \"counter\", up to seq 12", "alone:     put \"5\"",
        "key blocked: why", "2 changes wait for it", "00000000000000a1 up to 9"}) {
    CAPTURE(details);
    CHECK(details.find(wanted) != std::string::npos);
  }
}

TEST_CASE("the details of a message that is no batch are its bytes, escaped") {
  ParkedEntry parked = entry();
  parked.key.clear();
  parked.bytes = "\x1b[2Jgarbage" + std::string(10'000, 'x');
  const std::string details = details_text("eu", parked, {});
  CHECK(details.find("bytes:       \"\\x1b[2Jgarbage") != std::string::npos);
  CHECK(details.find("bytes more") != std::string::npos);
  CHECK(details.size() < 6000);
}

TEST_CASE("a key that is being rebuilt is told as such") {
  KeyBlock block;
  block.incomplete = true;
  block.bodies = 3;
  block.reason = "its state is gone";
  CHECK(entry_text("eu", "k\n", block).find("key \"k\\n\", 3 changes kept") != std::string::npos);
  CHECK(json::parse(entry_json("eu", "k", block))["incomplete"] == true);
  block.incomplete = false;
  CHECK(entry_text("eu", "k", block).starts_with("(blocked)             eu  key \"k\", no change"));
}

TEST_CASE("a time that no calendar has is told in microseconds") {
  CHECK(time_text(Micros{-1}) == "-1 us");
  CHECK(time_text(Micros{0}) == "1970-01-01T00:00:00Z");
  CHECK_FALSE(time_text(Micros{INT64_MAX}).empty());
}

}  // namespace
}  // namespace tributary::cli

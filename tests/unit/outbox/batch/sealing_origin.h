/// One origin's relay across seals, for the tests of sealing.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "outbox/batch/sealing.h"
#include "tests/unit/outbox/batch/outbox_row.h"

namespace tributary::sealing_tests {

inline constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
inline const std::string kLong(std::size_t{2} << 20, 'x');
inline constexpr Hlc kFarFuture{std::uint64_t{1} << 62};
inline const OriginHead kFresh{ActorId{7}, OriginName{"shop-eu"}, Seq{}, Hlc{}};

inline StoredSchema schema() {
  StoredSchema stored{.schema = {.keyspaces = {{"stock:*", "counter"},
                                               {"price:*", "register"},
                                               {"buyers:*", "set"},
                                               {"typo:*", "conuter"},
                                               {"graph:*", "graph"}},
                                 .limits = {}},
                      .operations = {{"graph", "link"}, {"set", "shuffle"}}};
  for (const crdt::Type* type : crdt::types()) {
    for (const crdt::Operation& each : type->operations) {
      stored.operations.emplace_back(type->name, each.name);
    }
  }
  return stored;
}

inline OutboxRow set(std::string_view value, std::uint64_t hlc = 0) {
  OutboxRow row = change_row("price:1", "register", "set", value);
  row.hlc = Hlc{hlc};
  return row;
}

inline OutboxRow element(std::string_view operation, std::string_view value,
                         std::string_view context = {}) {
  OutboxRow row = change_row("buyers:1", "set", operation, value);
  row.context = context;
  return row;
}

/// One origin's relay across seals. Rows get ids 1, 2, 3 … and, unless they
/// have one, a transaction each.
struct Origin {
  SealResult seals(std::vector<OutboxRow> rows, Hlc latest = kFarFuture) {
    for (OutboxRow& row : rows) {
      row.id = ++last_id;
      if (row.transaction == 0) row.transaction = ++last_transaction;
      if (row.tag == 0) row.tag = ~static_cast<std::uint64_t>(row.id);
    }
    rules.clock = latest;
    rules.schema = &stored;
    SealResult sealing = seal(head, rows, rules, totals);
    head = sealing.head;
    for (const SealedBatch& batch : sealing.batches) CHECK(batch.bytes.size() <= kMaxBatchBytes);
    return sealing;
  }
  Batch batch(std::vector<OutboxRow> rows, Hlc latest = kFarFuture) {
    return only(seals(std::move(rows), latest));
  }
  static Batch only(const SealResult& sealing) {
    REQUIRE(sealing.batches.size() == 1);
    auto decoded = decode_batch(sealing.batches[0].bytes);
    REQUIRE(decoded.has_value());
    return std::move(*decoded);
  }

  StoredSchema stored = schema();
  SealRules rules;
  OriginHead head = kFresh;
  TotalsCache totals;
  std::int64_t last_id = 0;
  std::int64_t last_transaction = 1000;
};

inline std::vector<OutboxRow> in_transaction(std::int64_t number, std::vector<OutboxRow> rows) {
  for (OutboxRow& row : rows) row.transaction = number;
  return rows;
}

inline std::vector<std::string> keys_in(const SealResult& sealing) {
  std::vector<std::string> keys;
  for (const SealedBatch& sealed : sealing.batches) {
    const auto batch = decode_batch(sealed.bytes);
    for (const Delta& delta : batch->deltas) keys.push_back(delta.key);
  }
  return keys;
}

inline std::vector<crdt::FieldTotals> totals_in(const Delta& delta) {
  return crdt::find_type("counter")->totals(delta.body);
}

}  // namespace tributary::sealing_tests

#include "connectors/outbox/postgres/seal.h"

#include <algorithm>
#include <set>

#include <libpq-fe.h>

#include "base/check.h"
#include "connectors/outbox/postgres/cells.h"
#include "connectors/outbox/postgres/statements.h"
#include "connectors/outbox/postgres/text.h"

namespace tributary::postgres {
namespace {

void read_amount(std::string_view numeric, OutboxRow& row) {
  if (const auto integer = read_integer(numeric)) row.amount = *integer;
  else row.odd = "its amount is " + numeric_text(numeric) + ", no 64-bit integer";
}

}  // namespace

void Seal::read_rows(const PGresult* result) {
  const int count = PQntuples(result);
  rows_.reserve(rows_.size() + static_cast<std::size_t>(count));
  for (int row = 0; row < count; ++row) {
    rows_.push_back({.id = not_null_bigint_at(result, row, 0),
                     .transaction = not_null_bigint_at(result, row, 1),
                     .key = bytes_at(result, row, 2),
                     .type = bytes_at(result, row, 3),
                     .operation = bytes_at(result, row, 4),
                     .field = bytes_at(result, row, 5),
                     .value = bytes_at(result, row, 6),
                     .context = bytes_at(result, row, 8),
                     .exact = !null_at(result, row, 10),
                     .hlc = Hlc{static_cast<std::uint64_t>(not_null_bigint_at(result, row, 9))},
                     .tag = static_cast<std::uint64_t>(not_null_bigint_at(result, row, 12)),
                     .written_id = bigint_at(result, row, 13)});
    OutboxRow& read = rows_.back();
    read.null_field = read.field.empty() && null_at(result, row, 5);
    read.null_value = read.value.empty() && null_at(result, row, 6);
    const std::string_view amount = bytes_at(result, row, 7);
    read.null_amount = amount.empty();  // no number is
    if (!read.null_amount) read_amount(amount, read);
    if (read.context.empty() && !null_at(result, row, 14) && null_at(result, row, 8)) {
      named_.push_back({rows_.size() - 1, not_null_bigint_at(result, row, 14)});
    }
  }
}

Result<bool> Seal::any_row() {
  pipeline_.queue(statements::kAnyRow);
  TRIBUTARY_ASSIGN(const auto results, pipeline_.flush());
  return PQntuples(results[0].get()) > 0;
}

Result<Seal::Taken> Seal::take(const Fence& fence, SealLimit limit) {
  if (!open_) {
    queue_fenced_begin(pipeline_, fence);
    open_ = true;
  }
  pipeline_.queue(statements::kTake,
                  Params().add(std::uint64_t{limit.rows}).add(std::uint64_t{limit.bytes}));
  TRIBUTARY_ASSIGN(auto results, pipeline_.flush());
  const PGresult* const result = results.back().get();
  Taken taken{static_cast<std::size_t>(PQntuples(result)), false};
  if (taken.rows > 0) {
    taken.cut_short = null_at(result, 0, 11);
    read_rows(result);
    results_.push_back(std::move(results.back()));
  } else {
    TRIBUTARY_ASSIGN(taken.cut_short, any_row());
  }
  return taken;
}

Result<std::span<const OutboxRow>> Seal::begin(const Fence& fence, SealLimit limit) {
  CHECK(!open_ && limit.rows > 0 && limit.bytes > 0);
  forget_rows();
  contexts_.trim();
  TRIBUTARY_ASSIGN(const bool calm, idle_.nothing_to_do(fence));
  if (calm) return std::span<const OutboxRow>{};
  // Long transactions that reach beyond the limit make it grow until they fit.
  for (SealLimit wider = limit;; wider = {wider.rows * 2, wider.bytes * 2}) {
    auto taken = take(fence, wider);
    if (!taken) {
      abort();
      return fail(std::move(taken).error());
    }
    more_ = taken->cut_short;
    if (!more_ || !rows_.empty()) break;
  }
  idle_.found(!rows_.empty());
  if (rows_.empty()) {
    abort();
    return std::span<const OutboxRow>{};
  }
  if (auto filled = contexts_.fill(pipeline_, named_, rows_); !filled) {
    abort();
    return fail(std::move(filled).error());
  }
  if (!std::ranges::is_sorted(rows_, {}, &OutboxRow::id)) {
    std::ranges::sort(rows_, {}, &OutboxRow::id);
  }
  return std::span<const OutboxRow>(rows_);
}

Result<std::vector<StoredTotals>> Seal::load_totals(std::span<const TotalsKey> keys) {
  std::vector<StoredTotals> totals;
  if (keys.empty()) return totals;
  ArrayParam names(SqlType::kText);
  ArrayParam fields(SqlType::kBytea);
  for (const TotalsKey& key : keys) {
    names.add(key.key);
    fields.add(key.field);
  }
  pipeline_.queue(statements::kLoadTotals, Params().add(names.finish()).add(fields.finish()));
  TRIBUTARY_ASSIGN(const auto results, pipeline_.flush());
  const PGresult* const result = results[0].get();
  for (int row = 0; row < PQntuples(result); ++row) {
    totals.push_back({std::string(bytes_at(result, row, 0)),
                      std::string(bytes_at(result, row, 1)),
                      {bigint_at(result, row, 2), bigint_at(result, row, 3)}});
  }
  return totals;
}

void queue_batch(Pipeline& pipeline, const SealedBatch& batch) {
  pipeline.queue(statements::kStoreBatch, Params()
                                              .add(batch.actor.value)
                                              .add(batch.first_seq.value)
                                              .add(batch.last_seq.value)
                                              .add(batch.bytes));
}

void queue_advance(Pipeline& pipeline, Hlc hlc, std::span<const SealedBatch> batches,
                   std::optional<Seq> totals_seq) {
  Params advance;
  advance.add(hlc.value);
  batches.empty() ? advance.add_null() : advance.add(batches.back().last_seq.value);
  totals_seq ? advance.add(totals_seq->value) : advance.add_null();
  batches.empty() ? advance.add_null() : advance.add(history_of(batches.back().bytes).value);
  pipeline.queue(statements::kAdvance, advance);
}

void queue_totals(Pipeline& pipeline, ActorId actor, std::span<const StoredTotals> totals) {
  constexpr std::size_t kAtOnce = 5000;
  for (; !totals.empty(); totals = totals.subspan(std::min(kAtOnce, totals.size()))) {
    ArrayParam keys(SqlType::kText);
    ArrayParam fields(SqlType::kBytea);
    ArrayParam increments(SqlType::kBigint);
    ArrayParam decrements(SqlType::kBigint);
    for (const StoredTotals& each : totals.first(std::min(kAtOnce, totals.size()))) {
      keys.add(each.key);
      fields.add(each.field);
      increments.add(each.totals.increments);
      decrements.add(each.totals.decrements);
    }
    pipeline.queue(statements::kStoreTotals, Params()
                                                 .add(actor.value)
                                                 .add(keys.finish())
                                                 .add(fields.finish())
                                                 .add(increments.finish())
                                                 .add(decrements.finish()));
  }
}

Result<void> Seal::take_again(const SealCommit& seal, const Fence& fence) {
  std::set<std::int64_t> kept(seal.left.begin(), seal.left.end());
  ArrayParam parked(SqlType::kBigint);
  ArrayParam reasons(SqlType::kText);
  for (const ParkedRow& each : seal.parked) {
    parked.add(each.id);
    reasons.add(made_text(each.reason));
    kept.insert(each.id);
  }
  ArrayParam sealed(SqlType::kBigint);
  for (const OutboxRow& row : rows_) {
    if (!kept.contains(row.id)) sealed.add(row.id);
  }
  CHECK(kept.size() == seal.left.size() + seal.parked.size() && kept.size() <= rows_.size());
  pipeline_.queue(statements::kRollback);
  queue_fenced_begin(pipeline_, fence);
  pipeline_.queue(statements::kParkTaken, Params().add(parked.finish()).add(reasons.finish()));
  pipeline_.queue(statements::kDeleteTaken, Params().add(sealed.finish()));
  TRIBUTARY_ASSIGN(const auto results, pipeline_.flush());
  if (affected(results[3].get()) + affected(results[4].get()) + seal.left.size() != rows_.size()) {
    return fail(ErrorKind::kConflict, "somebody else deleted rows of the outbox during a seal");
  }
  return {};
}

Result<void> Seal::commit(const SealCommit& seal, const Fence& fence) {
  CHECK(open_);
  if (!seal.parked.empty() || !seal.left.empty()) {
    if (auto again = take_again(seal, fence); !again) {
      abort();
      return again;
    }
  }
  for (const SealedBatch& batch : seal.batches) queue_batch(pipeline_, batch);
  queue_totals(pipeline_, fence.actor.value_or(ActorId{}), seal.totals);
  queue_advance(pipeline_, seal.hlc, seal.batches, seal.totals_seq);
  pipeline_.queue(statements::kCommit);
  auto done = pipeline_.flush();
  if (!done) {
    abort();
    return fail(std::move(done).error());
  }
  open_ = false;
  return {};
}

void Seal::forget_rows() {
  rows_.clear();
  named_.clear();
  results_.clear();
}

void Seal::abort() {
  forget_rows();
  if (!open_) return;
  open_ = false;
  if (pipeline_.dead()) return;
  pipeline_.queue(statements::kRollback);
  // Without an answer the server rolls back by itself when the connection closes.
  if (!pipeline_.flush()) pipeline_.close();
}

}  // namespace tributary::postgres

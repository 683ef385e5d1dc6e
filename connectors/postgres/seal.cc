#include <algorithm>

#include <libpq-fe.h>

#include <tributary/base/check.h>
#include <tributary/connectors/postgres/seal.h>
#include <tributary/connectors/postgres/statements.h>
#include <tributary/connectors/postgres/text.h>

namespace tributary::postgres {
namespace {

std::string_view bytes_at(const PGresult* result, int row, int column) {
  return {PQgetvalue(result, row, column),
          static_cast<std::size_t>(PQgetlength(result, row, column))};
}

std::int64_t bigint_at(const PGresult* result, int row, int column) {
  return PQgetisnull(result, row, column) != 0 ? 0 : read_bigint(PQgetvalue(result, row, column));
}

}  // namespace

void Seal::read_rows(const PGresult* result) {
  const int count = PQntuples(result);
  rows_.reserve(rows_.size() + static_cast<std::size_t>(count));
  for (int row = 0; row < count; ++row) {
    rows_.push_back({.id = bigint_at(result, row, 0),
                     .transaction = bigint_at(result, row, 1),
                     .key = bytes_at(result, row, 2),
                     .type = bytes_at(result, row, 3),
                     .operation = bytes_at(result, row, 4),
                     .field = bytes_at(result, row, 5),
                     .value = bytes_at(result, row, 6),
                     .amount = bigint_at(result, row, 7),
                     .context = bytes_at(result, row, 8),
                     .hlc = Hlc{static_cast<std::uint64_t>(bigint_at(result, row, 9))}});
  }
}

Result<bool> Seal::any_row() {
  pipeline_.queue(statements::kAnyRow);
  TRIBUTARY_ASSIGN(const auto results, pipeline_.flush());
  return PQntuples(results[0].get()) > 0;
}

Result<Seal::Taken> Seal::take(std::uint64_t epoch, SealLimit limit) {
  if (!open_) {
    pipeline_.queue(statements::kBegin);
    pipeline_.queue(statements::kFence, Params().add(epoch));
    open_ = true;
  }
  pipeline_.queue(statements::kTake,
                  Params().add(std::uint64_t{limit.rows}).add(std::uint64_t{limit.bytes}));
  TRIBUTARY_ASSIGN(auto results, pipeline_.flush());
  const PGresult* const result = results.back().get();
  Taken taken{static_cast<std::size_t>(PQntuples(result)), false};
  if (taken.rows > 0) {
    taken.cut_short = bigint_at(result, 0, 10) != 0;
    read_rows(result);
    results_.push_back(std::move(results.back()));
  } else {
    TRIBUTARY_ASSIGN(taken.cut_short, any_row());
  }
  return taken;
}

Result<std::span<const OutboxRow>> Seal::begin(std::uint64_t epoch, SealLimit limit) {
  CHECK(!open_ && limit.rows > 0 && limit.bytes > 0);
  rows_.clear();
  results_.clear();
  if (idle_) {
    TRIBUTARY_ASSIGN(const bool any, any_row());
    if (!any) return std::span<const OutboxRow>{};
  }
  // Long transactions that reach beyond the limit make it grow until they fit.
  for (SealLimit wider = limit;; wider = {wider.rows * 2, wider.bytes * 2}) {
    auto taken = take(epoch, wider);
    if (!taken) {
      abort();
      return fail(std::move(taken).error());
    }
    more_ = taken->cut_short;
    if (!more_ || !rows_.empty()) break;
  }
  idle_ = rows_.empty();
  if (idle_) {
    abort();
    return std::span<const OutboxRow>{};
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

void Seal::park(const ParkedRow& parked) {
  const auto row = std::ranges::lower_bound(rows_, parked.id, {}, &OutboxRow::id);
  CHECK(row != rows_.end() && row->id == parked.id);
  const std::string reason = made_text(parked.reason);
  Params params;
  params.add(row->id).add(row->transaction).add(row->key).add(row->type).add(row->operation);
  params.add(row->field).add(row->value).add(row->amount).add(row->context).add(row->hlc.value);
  pipeline_.queue(statements::kPark, params.add(reason));
}

Result<void> Seal::commit(const SealCommit& seal, ActorId actor) {
  CHECK(open_);
  if (seal.batch) {
    pipeline_.queue(statements::kStoreBatch, Params()
                                                 .add(seal.batch->actor.value)
                                                 .add(seal.batch->first_seq.value)
                                                 .add(seal.batch->last_seq.value)
                                                 .add(seal.batch->bytes));
  }
  if (!seal.totals.empty()) {
    ArrayParam keys(SqlType::kText);
    ArrayParam fields(SqlType::kBytea);
    ArrayParam increments(SqlType::kBigint);
    ArrayParam decrements(SqlType::kBigint);
    for (const StoredTotals& each : seal.totals) {
      keys.add(each.key);
      fields.add(each.field);
      increments.add(each.totals.increments);
      decrements.add(each.totals.decrements);
    }
    pipeline_.queue(statements::kStoreTotals, Params()
                                                  .add(actor.value)
                                                  .add(keys.finish())
                                                  .add(fields.finish())
                                                  .add(increments.finish())
                                                  .add(decrements.finish()));
  }
  for (const ParkedRow& each : seal.parked) park(each);
  Params advance;
  advance.add(seal.hlc.value);
  if (seal.batch) advance.add(seal.batch->last_seq.value);
  else advance.add_null();
  if (seal.totals_seq) advance.add(seal.totals_seq->value);
  else advance.add_null();
  pipeline_.queue(statements::kAdvance, advance);
  pipeline_.queue(statements::kCommit);
  auto done = pipeline_.flush();
  if (!done) {
    abort();
    return fail(std::move(done).error());
  }
  open_ = false;
  return {};
}

void Seal::abort() {
  rows_.clear();
  results_.clear();
  if (!open_) return;
  open_ = false;
  if (pipeline_.dead()) return;
  pipeline_.queue(statements::kRollback);
  // Without an answer the server rolls back by itself when the connection closes.
  if (!pipeline_.flush()) pipeline_.close();
}

}  // namespace tributary::postgres

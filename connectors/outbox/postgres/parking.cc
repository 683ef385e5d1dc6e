#include "connectors/outbox/postgres/parking.h"

#include <string>

#include <libpq-fe.h>

#include "connectors/outbox/postgres/cells.h"
#include "connectors/outbox/postgres/statements.h"
#include "connectors/outbox/postgres/text.h"

namespace tributary::postgres {
namespace {

/// A transaction is moved whole, and each of its rows is checked again.
constexpr Millis kMoveDeadline{600'000};

Result<std::uint64_t> move(Pipeline& pipeline, const Statement& statement,
                           std::int64_t transaction) {
  pipeline.queue(statements::kBegin);
  pipeline.queue(statements::kUntimed);
  pipeline.queue(statement, Params().add(transaction));
  auto moved = pipeline.flush(kMoveDeadline);
  const std::uint64_t rows = moved ? affected((*moved)[2].get()) : 0;
  if (!moved && pipeline.dead()) return fail(std::move(moved).error());
  pipeline.queue(moved ? statements::kCommit : statements::kRollback);
  TRIBUTARY_TRY(pipeline.flush());
  if (!moved) return fail(std::move(moved).error());
  if (rows > 0) return rows;
  return fail(ErrorKind::kInvalid, "nothing is parked of transaction " +
                                       std::to_string(transaction) +
                                       ": `tributary parked list` shows what is");
}

/// Puts the reason before those of all that is parked, in steps.
Result<std::uint64_t> mark_parked(Pipeline& pipeline, const Fence& fence, std::string_view reason) {
  std::uint64_t total = 0;
  for (std::int64_t after = 0;;) {
    queue_fenced_begin(pipeline, fence);
    pipeline.queue(statements::kUntimed);
    pipeline.queue(statements::kMarkParked, Params().add(reason).add(after));
    TRIBUTARY_ASSIGN(const auto results, commit_queued(pipeline));
    const PGresult* const step = results[3].get();
    if (null_at(step, 0, 0)) return total;
    after = bigint_at(step, 0, 0);
    total += unsigned_at(step, 0, 1);
  }
}

/// Of ConsumedRows, column by column.
struct ConsumedColumns {
  void add(const ConsumedRows& each) {
    transactions.add(each.transaction);
    first_ids.add(each.first_id);
    last_ids.add(each.last_id);
    tags.add(static_cast<std::int64_t>(each.tag));
  }
  void finish(Params& out) {
    out.add(transactions.finish())
        .add(first_ids.finish())
        .add(last_ids.finish())
        .add(tags.finish());
  }

  ArrayParam transactions{SqlType::kBigint};
  ArrayParam first_ids{SqlType::kBigint};
  ArrayParam last_ids{SqlType::kBigint};
  ArrayParam tags{SqlType::kBigint};
};

void queue_discard(Pipeline& pipeline, std::span<const ConsumedRows> rows) {
  ConsumedColumns columns;
  for (const ConsumedRows& each : rows) columns.add(each);
  Params params;
  columns.finish(params);
  pipeline.queue(statements::kDiscard, params);
}

}  // namespace

/// In steps: what a step has deleted stays deleted when a later one fails.
Result<void> drop_consumed(Pipeline& pipeline, const Fence& fence,
                           std::span<const ConsumedRows> rows) {
  constexpr std::int64_t kIdsAtOnce = 20'000;
  do {
    std::size_t count = 0;
    for (std::int64_t ids = 0; count < rows.size() && ids < kIdsAtOnce; ++count) {
      ids += rows[count].last_id - rows[count].first_id + 1;
    }
    queue_fenced_begin(pipeline, fence);
    queue_discard(pipeline, rows.first(count));
    TRIBUTARY_TRY(commit_queued(pipeline));
    rows = rows.subspan(count);
  } while (!rows.empty());
  return {};
}

Result<std::uint64_t> set_aside(Pipeline& pipeline, const Fence& fence, std::string_view reason) {
  const std::string why = made_text(reason);
  TRIBUTARY_ASSIGN(std::uint64_t total, mark_parked(pipeline, fence, why));
  pipeline.queue(statements::kNewest);
  TRIBUTARY_ASSIGN(const auto found, pipeline.flush());
  const std::int64_t newest = bigint_at(found[0].get(), 0, 0);
  while (true) {
    queue_fenced_begin(pipeline, fence);
    pipeline.queue(statements::kUntimed);
    pipeline.queue(statements::kSetAside, Params().add(newest).add(why));
    TRIBUTARY_ASSIGN(const auto results, commit_queued(pipeline));
    const std::uint64_t moved = affected(results[3].get());
    if (moved == 0) return total;
    total += moved;
  }
}

Result<std::vector<ParkedChange>> read_parked(Pipeline& pipeline, std::int64_t after,
                                              std::size_t limit) {
  pipeline.queue(statements::kBegin);
  pipeline.queue(statements::kUntimed);
  pipeline.queue(statements::kParked, Params().add(after).add(static_cast<std::uint64_t>(limit)));
  TRIBUTARY_ASSIGN(const auto results, commit_queued(pipeline));
  const PGresult* const rows = results[2].get();
  std::vector<ParkedChange> parked;
  for (int row = 0; row < PQntuples(rows); ++row) {
    parked.push_back({.position = bigint_at(rows, row, 0),
                      .transaction = bigint_at(rows, row, 1),
                      .key = text_at(rows, row, 2),
                      .type = text_at(rows, row, 3),
                      .operation = text_at(rows, row, 4),
                      .field = text_at(rows, row, 5),
                      .value = text_at(rows, row, 6),
                      .amount = bigint_at(rows, row, 7),
                      .hlc = Hlc{unsigned_at(rows, row, 8)},
                      .reason = text_at(rows, row, 9),
                      .parked_at = Micros{bigint_at(rows, row, 10)}});
  }
  return parked;
}

Result<std::uint64_t> retry_parked(Pipeline& pipeline, std::int64_t transaction) {
  return move(pipeline, statements::kRetry, transaction);
}

Result<std::uint64_t> discard_parked(Pipeline& pipeline, std::int64_t transaction) {
  return move(pipeline, statements::kDiscardParked, transaction);
}

Result<std::vector<DiscardRecord>> read_discarded(Pipeline& pipeline, std::size_t limit) {
  pipeline.queue(statements::kDiscarded, Params().add(static_cast<std::uint64_t>(limit)));
  TRIBUTARY_ASSIGN(const auto results, pipeline.flush());
  const PGresult* const rows = results[0].get();
  std::vector<DiscardRecord> some;
  for (int row = 0; row < PQntuples(rows); ++row) {
    some.push_back({bigint_at(rows, row, 0),
                    {bigint_at(rows, row, 1), bigint_at(rows, row, 2), bigint_at(rows, row, 3),
                     unsigned_at(rows, row, 4)}});
  }
  return some;
}

void queue_forget_discarded(Pipeline& pipeline, std::span<const DiscardRecord> told) {
  ConsumedColumns columns;
  ArrayParam positions(SqlType::kBigint);
  for (const DiscardRecord& each : told) {
    columns.add(each.rows);
    positions.add(each.position);
  }
  Params params;
  columns.finish(params);
  params.add(positions.finish());
  pipeline.queue(statements::kForgetDiscarded, params);
}

}  // namespace tributary::postgres

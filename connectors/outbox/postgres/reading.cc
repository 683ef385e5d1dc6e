#include "connectors/outbox/postgres/reading.h"

#include <libpq-fe.h>

#include "connectors/outbox/postgres/cells.h"
#include "connectors/outbox/postgres/statements.h"

namespace tributary::postgres {

OriginRecord read_origin(const PGresult* row) {
  return {.name = {text_at(row, 0, 0)},
          .actor = actor_at(row, 0, 1),
          .identity = text_at(row, 0, 2),
          .current_identity = text_at(row, 0, 3) + (bool_at(row, 0, 11) ? ":put back" : ""),
          .head_seq = Seq{unsigned_at(row, 0, 4)},
          .hlc = Hlc{unsigned_at(row, 0, 5)},
          .leader_epoch = unsigned_at(row, 0, 6),
          .confirmed_seq = Seq{unsigned_at(row, 0, 7)},
          .totals_seq = Seq{unsigned_at(row, 0, 8)},
          .context_hlc = Hlc{unsigned_at(row, 0, 10)},
          .history = {unsigned_at(row, 0, 13)},
          .former_history = {unsigned_at(row, 0, 14)}};
}

std::vector<FormerActor> read_former(const PGresult* rows) {
  std::vector<FormerActor> former;
  for (int row = 0; row < PQntuples(rows); ++row) {
    former.push_back({ActorId{unsigned_at(rows, row, 0)}, Seq{unsigned_at(rows, row, 1)}});
  }
  return former;
}

VersionVector read_told(const PGresult* row) {
  if (PQntuples(row) == 0) return {};
  return VersionVector::from_bytes(text_at(row, 0, 0)).value_or(VersionVector{});
}

OutboxStatus read_status(const PGresult* row) {
  OutboxStatus status;
  status.actor = actor_at(row, 0, 0);
  status.head_seq = Seq{unsigned_at(row, 0, 1)};
  status.confirmed_seq = Seq{unsigned_at(row, 0, 2)};
  status.depth = unsigned_at(row, 0, 3);
  status.unconfirmed = unsigned_at(row, 0, 4);
  status.parked = unsigned_at(row, 0, 5);
  status.oldest = Micros{Hlc{unsigned_at(row, 0, 6)}.micros()};
  status.history = {unsigned_at(row, 0, 7)};
  status.former_history = {unsigned_at(row, 0, 8)};
  return status;
}

StoredSchema read_schema(const PGresult* rows) {
  StoredSchema stored;
  for (int row = 0; row < PQntuples(rows); ++row) {
    const std::string first = text_at(rows, row, 2);
    const std::string second = text_at(rows, row, 3);
    const auto value = static_cast<std::size_t>(bigint_at(rows, row, 4));
    Limits& limits = stored.schema.limits;
    switch (bigint_at(rows, row, 0)) {
      case 1: stored.schema.keyspaces.push_back({first, second}); break;
      case 3: stored.operations.emplace_back(first, second); break;
      default:
        if (first == "key_bytes") limits.key_bytes = value;
        else if (first == "value_bytes") limits.value_bytes = value;
        else if (first == "transaction_changes") limits.transaction_changes = value;
        else if (first == "transaction_bytes") limits.transaction_bytes = value;
    }
  }
  return stored;
}

std::vector<Keyspace> read_keyspaces(const PGresult* rows) {
  std::vector<Keyspace> keyspaces;
  for (int row = 0; row < PQntuples(rows); ++row) {
    keyspaces.push_back({text_at(rows, row, 0), text_at(rows, row, 1)});
  }
  return keyspaces;
}

std::vector<SealedBatch> read_batches(const PGresult* rows) {
  std::vector<SealedBatch> batches;
  for (int row = 0; row < PQntuples(rows); ++row) {
    batches.push_back({ActorId{unsigned_at(rows, row, 0)}, Seq{unsigned_at(rows, row, 1)},
                       Seq{unsigned_at(rows, row, 2)}, text_at(rows, row, 3),
                       bigint_at(rows, row, 4)});
  }
  return batches;
}

std::vector<WaitingRow> read_waiting(const PGresult* rows) {
  std::vector<WaitingRow> waiting;
  for (int row = 0; row < PQntuples(rows); ++row) {
    waiting.push_back({bigint_at(rows, row, 0), text_at(rows, row, 1), text_at(rows, row, 2)});
  }
  return waiting;
}

void FormerCounters::start(bool gone) {
  gone_ = gone;
  at_end_ = false;
  key_.clear();
  field_.clear();
}

bool FormerCounters::queue(Pipeline& pipeline) {
  if (gone_) return false;
  if (at_end_) pipeline.queue(statements::kSwept);
  else pipeline.queue(statements::kSweep, Params().add(key_).add(field_));
  return true;
}

void FormerCounters::swept(const PGresult* result) {
  if (at_end_) {
    gone_ = true;
  } else if (PQntuples(result) == 0) {
    at_end_ = true;
  } else {
    key_ = text_at(result, 0, 0);
    field_ = text_at(result, 0, 1);
  }
}

}  // namespace tributary::postgres

#include <algorithm>
#include <cstring>

#include <sqlite3.h>

#include <tributary/base/check.h>
#include <tributary/connectors/sqlite/seal.h>

namespace tributary::sqlite {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;

Error lost_lead() { return Error{ErrorKind::kConflict, "another relay leads this origin now"}; }

}  // namespace

std::string_view Seal::keep(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (bytes.size() > free_bytes_) {
    free_bytes_ = std::max(kBlockBytes, bytes.size());
    free_ = blocks_.emplace_back(std::make_unique<char[]>(free_bytes_)).get();
  }
  char* const kept = free_;
  std::memcpy(kept, bytes.data(), bytes.size());
  free_ += bytes.size();
  free_bytes_ -= bytes.size();
  return {kept, bytes.size()};
}

Result<void> Seal::read_rows(SealLimit limit) {
  TRIBUTARY_ASSIGN(Statement row,
                   Statement::prepare(connection_,
                                      "SELECT id, transaction_id, key, type, operation, field, "
                                      "value, amount, context, hlc FROM tributary_outbox "
                                      "ORDER BY id"));
  std::size_t bytes = 0;
  while (true) {
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) return {};
    const std::int64_t transaction = row.integer(1);
    // The end of a transaction is where its number ends.
    const bool full = rows_.size() >= limit.rows || bytes >= limit.bytes;
    if (full && transaction != rows_.back().transaction) return {};
    bytes += row.bytes(6).size();
    rows_.push_back({.id = row.integer(0),
                     .transaction = transaction,
                     .key = keep(row.bytes(2)),
                     .type = keep(row.bytes(3)),
                     .operation = keep(row.bytes(4)),
                     .field = keep(row.bytes(5)),
                     .value = keep(row.bytes(6)),
                     .amount = row.integer(7),
                     .context = keep(row.bytes(8)),
                     .hlc = Hlc{row.unsigned_integer(9)}});
  }
}

Result<std::span<const OutboxRow>> Seal::begin(std::uint64_t epoch, SealLimit limit) {
  CHECK(rows_.empty() && limit.rows > 0);
  TRIBUTARY_ASSIGN(Statement origin,
                   Statement::prepare(connection_, "SELECT leader_epoch FROM tributary_origin"));
  TRIBUTARY_ASSIGN(const bool found, origin.step());
  if (!found || origin.unsigned_integer(0) != epoch) return fail(lost_lead());
  origin.reset();
  if (auto done = read_rows(limit); !done) {
    abort();
    return fail(std::move(done).error());
  }
  return std::span<const OutboxRow>(rows_);
}

Result<std::vector<StoredTotals>> Seal::load_totals(std::span<const TotalsKey> keys) {
  std::vector<StoredTotals> totals;
  TRIBUTARY_ASSIGN(Statement row,
                   Statement::prepare(connection_,
                                      "SELECT increments, decrements FROM tributary_counter "
                                      "WHERE key = ? AND field = ? AND actor = "
                                      "(SELECT actor FROM tributary_origin)"));
  for (const TotalsKey& key : keys) {
    row.add_text(key.key).add_blob(key.field);
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) continue;
    totals.push_back(
        {std::string(key.key), std::string(key.field), {row.integer(0), row.integer(1)}});
    row.reset();
  }
  return totals;
}

Result<void> Seal::advance(const SealCommit& seal, std::uint64_t epoch) {
  TRIBUTARY_ASSIGN(Statement origin, Statement::prepare(connection_,
                                                        "UPDATE tributary_origin SET hlc = ?, "
                                                        "head_seq = coalesce(?, head_seq), "
                                                        "totals_seq = coalesce(?, totals_seq) "
                                                        "WHERE leader_epoch = ?"));
  origin.add(seal.hlc.value);
  seal.batch ? origin.add(seal.batch->last_seq.value) : origin.add_null();
  seal.totals_seq ? origin.add(seal.totals_seq->value) : origin.add_null();
  TRIBUTARY_TRY(origin.add(epoch).run());
  if (sqlite3_changes(connection_) != 1) return fail(lost_lead());
  return execute(connection_, "UPDATE tributary_transaction SET number = number + 1");
}

Result<void> Seal::store_totals(std::span<const StoredTotals> totals, ActorId actor) {
  if (totals.empty()) return {};
  TRIBUTARY_ASSIGN(Statement row, Statement::prepare(connection_,
                                                     "INSERT OR REPLACE INTO tributary_counter "
                                                     "(key, field, actor, increments, decrements) "
                                                     "VALUES (?, ?, ?, ?, ?)"));
  for (const StoredTotals& each : totals) {
    row.add_text(each.key).add_blob(each.field).add(actor.value);
    TRIBUTARY_TRY(row.add(each.totals.increments).add(each.totals.decrements).run());
  }
  return {};
}

Result<void> Seal::park(std::span<const ParkedRow> parked, Micros now) {
  if (parked.empty()) return {};
  TRIBUTARY_ASSIGN(
      Statement row,
      Statement::prepare(connection_,
                         "INSERT INTO tributary_parked (id, transaction_id, key, type, operation, "
                         "field, value, amount, context, hlc, reason, parked_at) "
                         "SELECT id, transaction_id, key, type, operation, field, value, amount, "
                         "context, hlc, ?, ? FROM tributary_outbox WHERE id = ?"));
  for (const ParkedRow& each : parked) {
    TRIBUTARY_TRY(row.add_text(each.reason).add(std::int64_t{now.count()}).add(each.id).run());
  }
  return {};
}

Result<void> Seal::delete_rows() {
  TRIBUTARY_ASSIGN(
      Statement rows,
      Statement::prepare(connection_, "DELETE FROM tributary_outbox WHERE id BETWEEN ? AND ?"));
  TRIBUTARY_TRY(rows.add(rows_.front().id).add(rows_.back().id).run());
  if (sqlite3_changes(connection_) == static_cast<int>(rows_.size())) return {};
  return fail(ErrorKind::kTransient,
              "rows were inserted with ids of their own between those being sealed: seal again");
}

Result<void> Seal::write(const SealCommit& seal, std::uint64_t epoch, ActorId actor, Micros now) {
  TRIBUTARY_TRY(advance(seal, epoch));
  TRIBUTARY_TRY(park(seal.parked, now));
  if (seal.batch) {
    TRIBUTARY_ASSIGN(Statement batch,
                     Statement::prepare(connection_,
                                        "INSERT INTO tributary_batch "
                                        "(actor, first_seq, last_seq, bytes, sealed_at) "
                                        "VALUES (?, ?, ?, ?, ?)"));
    batch.add(seal.batch->actor.value).add(seal.batch->first_seq.value);
    batch.add(seal.batch->last_seq.value).add_blob(seal.batch->bytes);
    TRIBUTARY_TRY(batch.add(std::int64_t{now.count()}).run());
  }
  TRIBUTARY_TRY(store_totals(seal.totals, actor));
  TRIBUTARY_TRY(delete_rows());
  return execute(connection_, "COMMIT");
}

Result<void> Seal::commit(const SealCommit& seal, std::uint64_t epoch, ActorId actor, Micros now) {
  CHECK(!rows_.empty());
  auto done = execute(connection_, "BEGIN IMMEDIATE");
  if (done) done = write(seal, epoch, actor, now);
  abort();
  return done;
}

void Seal::abort() {
  rows_.clear();
  blocks_.clear();
  free_bytes_ = 0;
  // A failed ROLLBACK leaves nothing open: SQLite has rolled back by itself then.
  if (sqlite3_get_autocommit(connection_) == 0) {
    static_cast<void>(execute(connection_, "ROLLBACK"));
  }
}

}  // namespace tributary::sqlite

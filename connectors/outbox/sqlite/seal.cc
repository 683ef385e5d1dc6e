#include "connectors/outbox/sqlite/seal.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include <sqlite3.h>

#include "base/check.h"
#include "connectors/outbox/sqlite/batches.h"
#include "connectors/outbox/sqlite/parked.h"
#include "connectors/outbox/sqlite/told_contexts.h"

namespace tributary::sqlite {
namespace {

using Cell = Statement::Cell;

/// An integer, or a real that is one for certain, as the trigger takes them.
bool integral(const Statement& row, int column) {
  const Cell cell = row.cell(column);
  if (cell == Cell::kInteger || cell == Cell::kNull) return true;
  constexpr double kExact = 9007199254740991.0;
  const double real = row.real(column);
  return cell == Cell::kReal && std::abs(real) <= kExact && real == std::trunc(real);
}

/// What an UPDATE may have put into a column, which no trigger sees. Columns as in read_rows().
std::string odd(const Statement& row) {
  for (const int column : {2, 3, 4}) {
    if (row.cell(column) != Cell::kText) return "its key, type or operation is no text";
  }
  if (row.cell(8) != Cell::kNull && row.cell(8) != Cell::kBlob) return "its context is no blob";
  if (integral(row, 7)) return {};
  constexpr std::size_t kShown = 40;
  return "its amount is " + std::string(row.bytes(7).substr(0, kShown)) + ", no 64-bit integer";
}

constexpr std::size_t kBlockBytes = std::size_t{1} << 20;
/// A service reads, thinks and then writes within that, mostly. A full seal does not wait.
constexpr Micros kPatience{250'000};
/// Among services that read first every seal may cost one its transaction: then there are few.
constexpr Micros kApart{1'000'000};

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
  TRIBUTARY_ASSIGN(
      Statement row,
      fence_.prepare("SELECT id, transaction_id, key, type, operation, field, "
                     "value, amount, context, exact, hlc, tag, coalesce(written_id, 0), context_id "
                     "FROM tributary_outbox "
                     "ORDER BY id"));
  std::size_t bytes = 0;
  while (true) {
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) return {};
    const std::int64_t transaction = row.integer(1);
    // The end of a transaction is where its number ends.
    std::string wrong = odd(row);
    const bool full = rows_.size() >= limit.rows || bytes >= limit.bytes;
    if (full && !rows_.empty() && transaction != rows_.back().transaction) return {};
    for (const int column : {2, 5, 6}) bytes += row.bytes(column).size();
    rows_.push_back({.id = row.integer(0),
                     .transaction = transaction,
                     .key = keep(row.bytes(2)),
                     .type = keep(row.bytes(3)),
                     .operation = keep(row.bytes(4)),
                     .field = keep(row.bytes(5)),
                     .value = keep(row.bytes(6)),
                     .amount = row.integer(7),
                     .context = {},
                     .exact = row.integer(9) != 0,
                     .hlc = Hlc{row.unsigned_integer(10)},
                     .tag = row.unsigned_integer(11),
                     .written_id = row.integer(12),
                     .null_field = row.null(5),
                     .null_value = row.null(6),
                     .null_amount = row.null(7),
                     .odd = std::move(wrong)});
    TRIBUTARY_TRY(read_context(row, rows_.back(), bytes));
  }
}

Result<void> Seal::read_context(const Statement& row, OutboxRow& read, std::size_t& bytes) {
  if (!row.null(8) || row.null(13)) {
    read.context = keep(row.bytes(8));
    bytes += read.context.size();
    return {};
  }
  TRIBUTARY_ASSIGN(const auto context, told(row.integer(13), bytes));
  if (context) read.context = *context;
  else if (read.odd.empty()) read.odd = unknown_context(row.integer(13));
  return {};
}

Result<std::optional<std::string_view>> Seal::told(std::int64_t context_id, std::size_t& bytes) {
  const auto [entry, fresh] = contexts_.try_emplace(context_id);
  if (!fresh) return entry->second;
  TRIBUTARY_ASSIGN(const auto read, sqlite::read_context(fence_, context_id));
  if (!read) return std::nullopt;
  bytes += read->size();
  entry->second = keep(*read);
  return entry->second;
}

Result<std::size_t> Seal::waiting(std::size_t limit) const {
  TRIBUTARY_TRY(fence_.check());
  TRIBUTARY_ASSIGN(Statement row, fence_.prepare("SELECT count(*) FROM (SELECT 1 FROM "
                                                 "tributary_outbox LIMIT ?)"));
  TRIBUTARY_TRY(row.add(static_cast<std::uint64_t>(limit)).step());
  return static_cast<std::size_t>(row.integer(0));
}

/// Whether the rows that wait are worth a seal now.
bool Seal::due(std::size_t count, SealLimit limit) const {
  if (count == 0 || count >= limit.rows) return count > 0;
  return !quiet_.readers_lately() || SystemClock().monotonic() >= committed_ + kApart;
}

Result<std::span<const OutboxRow>> Seal::begin(SealLimit limit) {
  CHECK(rows_.empty() && limit.rows > 0);
  TRIBUTARY_ASSIGN(const std::size_t count, waiting(limit.rows));
  if (!due(count, limit)) return std::span<const OutboxRow>();
  patience_ = SystemClock().monotonic() + (count < limit.rows ? kPatience : Micros{0});
  quiet_.wait(patience_);
  // What is read, and the fence, are of one moment.
  TRIBUTARY_TRY(execute(fence_.connection(), "BEGIN"));
  auto done = fence_.check();
  if (done) done = read_rows(limit);
  fence_.roll_back();
  if (!done) {
    abort();
    return fail(std::move(done).error());
  }
  return std::span<const OutboxRow>(rows_);
}

Result<std::vector<StoredTotals>> Seal::load_totals(std::span<const TotalsKey> keys) {
  std::vector<StoredTotals> totals;
  TRIBUTARY_ASSIGN(Statement row, fence_.prepare("SELECT increments, decrements "
                                                 "FROM tributary_counter WHERE key = ? "
                                                 "AND field = ? AND actor = ?"));
  for (const TotalsKey& key : keys) {
    row.add_text(key.key).add_blob(key.field).add(fence_.lead.actor.value);
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) continue;
    totals.push_back(
        {std::string(key.key), std::string(key.field), {row.integer(0), row.integer(1)}});
    row.reset();
  }
  return totals;
}

Result<void> Seal::advance(const SealCommit& seal) {
  TRIBUTARY_ASSIGN(Statement origin, fence_.prepare("UPDATE tributary_origin SET hlc = ?, "
                                                    "totals_seq = coalesce(?, totals_seq)"));
  origin.add(seal.hlc.value);
  seal.totals_seq ? origin.add(seal.totals_seq->value) : origin.add_null();
  TRIBUTARY_TRY(origin.run());
  return execute(fence_.connection(),
                 "UPDATE tributary_transaction SET number = number + 1, changes = 0, bytes = 0");
}

/// Deletes runs of ids without a gap, so that no row goes which was not taken.
Result<void> Seal::delete_rows(std::span<const std::int64_t> left) {
  const std::unordered_set<std::int64_t> staying(left.begin(), left.end());
  TRIBUTARY_ASSIGN(Statement run,
                   fence_.prepare("DELETE FROM tributary_outbox WHERE id BETWEEN ? AND ?"));
  std::size_t i = 0;
  while (i < rows_.size()) {
    const std::size_t first = i++;
    if (staying.contains(rows_[first].id)) continue;
    while (i < rows_.size() && rows_[i].id == rows_[i - 1].id + 1 &&
           !staying.contains(rows_[i].id)) {
      ++i;
    }
    TRIBUTARY_TRY(run.add(rows_[first].id).add(rows_[i - 1].id).run());
    if (static_cast<std::size_t>(sqlite3_changes(fence_.connection())) != i - first) {
      return fail(ErrorKind::kConflict, "rows being sealed were deleted by somebody else");
    }
  }
  return {};
}

Result<void> Seal::write(const SealCommit& seal) {
  const Micros now = SystemClock().wall();
  TRIBUTARY_TRY(advance(seal));
  TRIBUTARY_TRY(park(fence_, seal.parked, now));
  TRIBUTARY_TRY(store_batches(fence_, seal.batches, now));
  TRIBUTARY_TRY(store_totals(fence_, seal.totals));
  TRIBUTARY_TRY(delete_rows(seal.left));
  return told_.write();
}

/// A service that begins to read while the seal commits fails when it writes; syncing the disk
/// takes most of a commit's time, and may be done behind it: nobody publishes before.
Result<void> Seal::write_briefly(const SealCommit& seal) {
  const auto transaction = [&] { return fence_.fenced([&] { return write(seal); }); };
  if (!quiet_.enabled()) return transaction();
  TRIBUTARY_TRY(fence_.relaxed(transaction));
  return fence_.sync();
}

Result<void> Seal::commit(const SealCommit& seal) {
  CHECK(!rows_.empty());
  quiet_.wait(patience_);
  auto done = write_briefly(seal);
  if (done) {
    told_.written();
    committed_ = SystemClock().monotonic();
  }
  abort();
  return done;
}

void Seal::abort() {
  rows_.clear();
  contexts_.clear();
  blocks_.clear();
  free_bytes_ = 0;
  fence_.roll_back();
}

}  // namespace tributary::sqlite

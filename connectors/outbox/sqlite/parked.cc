#include "connectors/outbox/sqlite/parked.h"

#include <algorithm>
#include <optional>
#include <string>

#include <sqlite3.h>

#include "connectors/outbox/sqlite/batches.h"

namespace tributary::sqlite {
namespace {

constexpr std::size_t kRowsAtOnce = 5000;

/// What a row takes along, to and fro, beside its transaction and the id it was written under.
constexpr std::string_view kColumns =
    "key, type, operation, field, value, amount, hlc, context, context_id, exact, tag";

/// Copies rows of the outbox; `which` picks them.
Result<Statement> copy_rows(const Fence& fence, std::string_view which) {
  std::string sql = "INSERT INTO tributary_parked (id, transaction_id, ";
  sql.append(kColumns).append(
      ", reason, parked_at) SELECT coalesce(written_id, id), "
      "transaction_id, ");
  sql.append(kColumns).append(", ?, ? FROM tributary_outbox WHERE ").append(which);
  return fence.prepare(sql);
}

std::uint64_t changed(const Fence& fence) {
  return static_cast<std::uint64_t>(sqlite3_changes(fence.connection()));
}

Error none_parked(std::int64_t transaction) {
  return Error{ErrorKind::kInvalid, "no change of transaction " + std::to_string(transaction) +
                                        " is parked; `tributary parked list` shows those that " +
                                        "are"};
}

/// The last row of the next step: whole transactions, up to `newest`.
Result<std::int64_t> end_of_step(const Fence& fence, std::int64_t newest) {
  TRIBUTARY_ASSIGN(
      Statement row,
      fence.prepare("WITH step AS (SELECT id, transaction_id FROM tributary_outbox "
                    "WHERE id <= ?1 ORDER BY id LIMIT ?2), "
                    "final AS (SELECT id, transaction_id FROM step ORDER BY id DESC LIMIT 1) "
                    "SELECT coalesce((SELECT o.id - 1 FROM tributary_outbox o "
                    "WHERE o.id > final.id AND o.transaction_id IS NOT final.transaction_id "
                    "ORDER BY o.id LIMIT 1), ?1) FROM final"));
  row.add(newest).add(std::uint64_t{kRowsAtOnce});
  TRIBUTARY_ASSIGN(const bool found, row.step());
  return found ? std::min(row.integer(0), newest) : newest;
}

Result<std::uint64_t> set_aside_step(const Fence& fence, std::int64_t newest,
                                     std::string_view reason) {
  TRIBUTARY_ASSIGN(const std::int64_t last, end_of_step(fence, newest));
  TRIBUTARY_ASSIGN(Statement copy, copy_rows(fence, "id <= ? ORDER BY id"));
  const std::int64_t now = SystemClock().wall().count();
  TRIBUTARY_TRY(copy.add_text(reason).add(now).add(last).run());
  TRIBUTARY_ASSIGN(Statement gone, fence.prepare("DELETE FROM tributary_outbox WHERE id <= ?"));
  TRIBUTARY_TRY(gone.add(last).run());
  return changed(fence);
}

/// Puts the reason before those of all that is parked, in steps.
Result<std::uint64_t> mark_parked(Fence& fence, std::string_view reason) {
  std::uint64_t count = 0;
  for (std::optional<std::int64_t> after = 0; after;) {
    const auto done = fence.fenced([&]() -> Result<void> {
      TRIBUTARY_ASSIGN(Statement row,
                       fence.prepare("SELECT max(position) FROM (SELECT position FROM "
                                     "tributary_parked WHERE position > ? ORDER BY position "
                                     "LIMIT ?)"));
      row.add(*after).add(std::uint64_t{kRowsAtOnce});
      TRIBUTARY_TRY(row.step());
      const std::int64_t from = *after;
      after = row.null(0) ? std::nullopt : std::optional(row.integer(0));
      row.reset();
      if (!after) return {};
      TRIBUTARY_ASSIGN(Statement mark,
                       fence.prepare("UPDATE tributary_parked SET reason = ?1 || '; parked before: "
                                     "' || reason WHERE position > ?2 AND position <= ?3 "
                                     "AND substr(reason, 1, length(?1)) IS NOT ?1"));
      TRIBUTARY_TRY(mark.add_text(reason).add(from).add(*after).run());
      count += changed(fence);
      return {};
    });
    TRIBUTARY_TRY(done);
  }
  return count;
}

/// Whoever writes next is of another transaction than the rows that are there.
Result<void> end_number(const Fence& fence) {
  return execute(fence.connection(),
                 "UPDATE tributary_transaction SET number = number + 1, changes = 0, bytes = 0");
}

}  // namespace

Result<void> park(const Fence& fence, std::span<const ParkedRow> rows, Micros now) {
  if (rows.empty()) return {};
  TRIBUTARY_ASSIGN(Statement copy, copy_rows(fence, "id = ?"));
  for (const ParkedRow& each : rows) {
    TRIBUTARY_TRY(copy.add_text(each.reason).add(std::int64_t{now.count()}).add(each.id).run());
  }
  return {};
}

Result<void> drop_consumed(const Fence& fence, std::span<const ConsumedRows> rows) {
  constexpr std::string_view kFresh =
      "DELETE FROM tributary_outbox WHERE id BETWEEN ?1 AND ?2 AND transaction_id = ?3 "
      "AND tag = ?4 AND written_id IS NULL";
  constexpr std::string_view kRetried =
      "DELETE FROM tributary_outbox WHERE written_id BETWEEN ?1 AND ?2 AND transaction_id = ?3 "
      "AND tag = ?4";
  constexpr std::string_view kParked =
      "DELETE FROM tributary_parked WHERE id BETWEEN ?1 AND ?2 AND transaction_id = ?3 "
      "AND tag = ?4";
  for (const std::string_view sql : {kFresh, kRetried, kParked}) {
    TRIBUTARY_ASSIGN(Statement gone, fence.prepare(sql));
    for (const ConsumedRows& each : rows) {
      gone.add(each.first_id).add(each.last_id).add(each.transaction);
      TRIBUTARY_TRY(gone.add(each.tag).run());
    }
  }
  return {};
}

Result<std::uint64_t> set_aside(Fence& fence, std::string_view reason) {
  std::optional<std::int64_t> newest;
  TRIBUTARY_ASSIGN(std::uint64_t count, mark_parked(fence, reason));
  while (true) {
    std::uint64_t rows = 0;
    const auto done = fence.fenced([&]() -> Result<void> {
      if (!newest) {
        TRIBUTARY_TRY(end_number(fence));
        TRIBUTARY_ASSIGN(Statement row,
                         fence.prepare("SELECT coalesce(max(id), 0) FROM tributary_outbox"));
        TRIBUTARY_TRY(row.step());
        newest = row.integer(0);
      }
      TRIBUTARY_ASSIGN(rows, set_aside_step(fence, *newest, reason));
      return {};
    });
    TRIBUTARY_TRY(done);
    if (rows == 0) return count;
    count += rows;
  }
}

Result<std::vector<WaitingRow>> waiting(const Fence& fence, std::int64_t after, std::size_t limit) {
  TRIBUTARY_ASSIGN(Statement row, fence.prepare("SELECT id, key, type FROM tributary_outbox "
                                                "WHERE id > ? ORDER BY id LIMIT ?"));
  row.add(after).add(static_cast<std::uint64_t>(limit));
  std::vector<WaitingRow> rows;
  while (true) {
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) return rows;
    rows.push_back({row.integer(0), std::string(row.bytes(1)), std::string(row.bytes(2))});
  }
}

Result<std::vector<ParkedChange>> parked(const Fence& fence, std::int64_t after,
                                         std::size_t limit) {
  std::string sql = "SELECT position, transaction_id, ";
  sql.append(kColumns).append(", reason, parked_at FROM tributary_parked WHERE position > ? ");
  TRIBUTARY_ASSIGN(Statement row, fence.prepare(sql + "ORDER BY position LIMIT ?"));
  row.add(after).add(static_cast<std::uint64_t>(limit));
  std::vector<ParkedChange> changes;
  while (true) {
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) return changes;
    changes.push_back({.position = row.integer(0),
                       .transaction = row.integer(1),
                       .key = std::string(row.bytes(2)),
                       .type = std::string(row.bytes(3)),
                       .operation = std::string(row.bytes(4)),
                       .field = std::string(row.bytes(5)),
                       .value = std::string(row.bytes(6)),
                       .amount = row.integer(7),
                       .hlc = Hlc{row.unsigned_integer(8)},
                       .reason = std::string(row.bytes(13)),
                       .parked_at = Micros{row.integer(14)}});
  }
}

Result<std::uint64_t> retry_parked(const Fence& fence, std::int64_t transaction) {
  std::uint64_t count = 0;
  const auto done = fence.write([&]() -> Result<void> {
    TRIBUTARY_TRY(end_number(fence));
    std::string sql = "INSERT INTO tributary_outbox (written_id, transaction_id, ";
    sql.append(kColumns).append(") SELECT id, transaction_id, ");
    sql.append(kColumns).append(" FROM tributary_parked WHERE transaction_id = ? ");
    TRIBUTARY_ASSIGN(Statement copy, fence.prepare(sql + "ORDER BY position"));
    TRIBUTARY_TRY(copy.add(transaction).run());
    count = changed(fence);
    if (count == 0) return fail(none_parked(transaction));
    TRIBUTARY_ASSIGN(Statement gone,
                     fence.prepare("DELETE FROM tributary_parked WHERE transaction_id = ?"));
    TRIBUTARY_TRY(gone.add(transaction).run());
    TRIBUTARY_TRY(execute(fence.connection(),
                          "UPDATE tributary_transaction SET "
                          "last_id = (SELECT max(id) FROM tributary_outbox)"));
    return end_number(fence);
  });
  TRIBUTARY_TRY(done);
  return count;
}

Result<std::uint64_t> discard_parked(const Fence& fence, std::int64_t transaction) {
  std::uint64_t count = 0;
  const auto done = fence.write([&]() -> Result<void> {
    TRIBUTARY_ASSIGN(Statement told,
                     fence.prepare("INSERT INTO tributary_discarded "
                                   "(transaction_id, first_id, last_id, tag) "
                                   "SELECT transaction_id, min(id), max(id), tag FROM (SELECT "
                                   "transaction_id, id, tag, id - row_number() OVER (ORDER BY id) "
                                   "AS run FROM tributary_parked WHERE transaction_id = ?) "
                                   "GROUP BY run, tag ORDER BY 2"));
    TRIBUTARY_TRY(told.add(transaction).run());
    TRIBUTARY_ASSIGN(Statement gone,
                     fence.prepare("DELETE FROM tributary_parked WHERE transaction_id = ?"));
    TRIBUTARY_TRY(gone.add(transaction).run());
    count = changed(fence);
    if (count == 0) return fail(none_parked(transaction));
    return {};
  });
  TRIBUTARY_TRY(done);
  return count;
}

Result<std::vector<DiscardRecord>> discarded(const Fence& fence, std::size_t limit) {
  TRIBUTARY_ASSIGN(Statement row,
                   fence.prepare("SELECT position, transaction_id, first_id, last_id, tag "
                                 "FROM tributary_discarded ORDER BY position LIMIT ?"));
  row.add(static_cast<std::uint64_t>(limit));
  std::vector<DiscardRecord> some;
  while (true) {
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) return some;
    some.push_back({row.integer(0),
                    {row.integer(1), row.integer(2), row.integer(3), row.unsigned_integer(4)}});
  }
}

Result<void> seal_discarded(Fence& fence, std::span<const DiscardRecord> told,
                            const SealedBatch& batch, Hlc hlc) {
  return fence.fenced([&]() -> Result<void> {
    TRIBUTARY_ASSIGN(Statement gone,
                     fence.prepare("DELETE FROM tributary_discarded WHERE position = ? AND "
                                   "transaction_id = ? AND first_id = ? AND last_id = ? "
                                   "AND tag = ?"));
    for (const auto& [position, rows] : told) {
      gone.reset();
      gone.add(position).add(rows.transaction).add(rows.first_id).add(rows.last_id).add(rows.tag);
      TRIBUTARY_TRY(gone.run());
    }
    TRIBUTARY_TRY(store_batches(fence, {&batch, 1}, SystemClock().wall()));
    TRIBUTARY_ASSIGN(Statement origin, fence.prepare("UPDATE tributary_origin SET hlc = ?"));
    return origin.add(hlc.value).run();
  });
}

}  // namespace tributary::sqlite

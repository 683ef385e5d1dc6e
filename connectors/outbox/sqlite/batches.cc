#include "connectors/outbox/sqlite/batches.h"

#include <string>
#include <utility>

namespace tributary::sqlite {
namespace {

constexpr std::size_t kForgottenAtOnce = 256;
constexpr std::size_t kSweptAtOnce = 1000;

Result<std::vector<SealedBatch>> read_page(Statement& row, SealLimit limit) {
  std::vector<SealedBatch> batches;
  std::size_t changes = 0;
  std::size_t bytes = 0;
  while (batches.empty() || (changes < limit.rows && bytes < limit.bytes)) {
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) break;
    SealedBatch batch{ActorId{row.unsigned_integer(0)},
                      Seq{row.unsigned_integer(1)},
                      Seq{row.unsigned_integer(2)},
                      {},
                      row.integer(4)};
    changes += batch.last_seq.value - batch.first_seq.value + 1;
    bytes += row.bytes(3).size();
    const bool fits = changes <= limit.rows && bytes <= limit.bytes;
    if (!batches.empty() && !fits) break;
    batch.bytes = row.bytes(3);
    batches.push_back(std::move(batch));
  }
  return batches;
}

}  // namespace

Result<std::vector<SealedBatch>> unconfirmed_batches(const Fence& fence, std::int64_t after,
                                                     SealLimit limit) {
  TRIBUTARY_ASSIGN(Statement row,
                   fence.prepare("SELECT actor, first_seq, last_seq, bytes, position "
                                 "FROM tributary_batch WHERE confirmed_at IS NULL "
                                 "AND position > ? ORDER BY position"));
  row.add(after);
  return read_page(row, limit);
}

Result<std::vector<SealedBatch>> retained_batches(const Fence& fence, Seq after, SealLimit limit) {
  TRIBUTARY_ASSIGN(Statement row,
                   fence.prepare("SELECT actor, first_seq, last_seq, bytes, position "
                                 "FROM tributary_batch "
                                 "WHERE actor = (SELECT actor FROM tributary_origin) "
                                 "AND first_seq > ? ORDER BY first_seq"));
  row.add(after.value);
  return read_page(row, limit);
}

Result<void> store_batches(const Fence& fence, std::span<const SealedBatch> batches, Micros now) {
  TRIBUTARY_ASSIGN(Statement row, fence.prepare("INSERT INTO tributary_batch "
                                                "(actor, first_seq, last_seq, bytes, sealed_at) "
                                                "VALUES (?, ?, ?, ?, ?)"));
  for (const SealedBatch& batch : batches) {
    row.add(batch.actor.value).add(batch.first_seq.value).add(batch.last_seq.value);
    TRIBUTARY_TRY(row.add_blob(batch.bytes).add(std::int64_t{now.count()}).run());
  }
  if (batches.empty()) return {};
  TRIBUTARY_ASSIGN(Statement origin,
                   fence.prepare("UPDATE tributary_origin SET head_seq = ?, history = ?"));
  const SealedBatch& last = batches.back();
  return origin.add(last.last_seq.value).add(history_of(last.bytes).value).run();
}

Result<void> mark_confirmed(const Fence& fence, ActorId actor, Seq seq, Micros now) {
  TRIBUTARY_ASSIGN(Statement batches,
                   fence.prepare("UPDATE tributary_batch SET confirmed_at = ? "
                                 "WHERE confirmed_at IS NULL AND actor = ? AND last_seq <= ?"));
  TRIBUTARY_TRY(batches.add(std::int64_t{now.count()}).add(actor.value).add(seq.value).run());
  TRIBUTARY_ASSIGN(Statement origin,
                   fence.prepare("UPDATE tributary_origin SET "
                                 "confirmed_seq = max(confirmed_seq, ?) WHERE actor = ?"));
  return origin.add(seq.value).add(actor.value).run();
}

Result<void> forget_batches(const Fence& fence, Micros until) {
  TRIBUTARY_ASSIGN(Statement old,
                   fence.prepare("DELETE FROM tributary_batch WHERE position IN ("
                                 "SELECT b.position FROM tributary_batch b, tributary_origin o "
                                 "WHERE b.confirmed_at IS NOT NULL AND b.confirmed_at <= ? "
                                 "AND (b.actor IS NOT o.actor OR b.last_seq <= o.totals_seq) "
                                 "ORDER BY b.confirmed_at LIMIT ?)"));
  return old.add(std::int64_t{until.count()}).add(std::uint64_t{kForgottenAtOnce}).run();
}

Result<void> sweep_totals(const Fence& fence) {
  TRIBUTARY_ASSIGN(Statement row,
                   fence.prepare("SELECT c.key, c.field, c.actor IS NOT o.actor "
                                 "FROM tributary_origin o, tributary_counter c "
                                 "WHERE o.swept_key IS NOT NULL "
                                 "AND (c.key, c.field) > (o.swept_key, o.swept_field) "
                                 "ORDER BY c.key, c.field LIMIT ?"));
  row.add(std::uint64_t{kSweptAtOnce});
  std::pair<std::string, std::string> last;
  std::vector<std::pair<std::string, std::string>> old;
  std::size_t looked_at = 0;
  while (true) {
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) break;
    ++looked_at;
    last = {std::string(row.bytes(0)), std::string(row.bytes(1))};
    if (row.integer(2) != 0) old.push_back(last);
  }
  TRIBUTARY_ASSIGN(Statement gone,
                   fence.prepare("DELETE FROM tributary_counter WHERE key = ? AND field = ?"));
  for (const auto& [key, field] : old) TRIBUTARY_TRY(gone.add_text(key).add_blob(field).run());
  TRIBUTARY_ASSIGN(Statement mark,
                   fence.prepare("UPDATE tributary_origin SET swept_key = ?, swept_field = ? "
                                 "WHERE swept_key IS NOT NULL"));
  if (looked_at == kSweptAtOnce) mark.add_text(last.first).add_blob(last.second);
  else mark.add_null().add_null();
  return mark.run();
}

Result<void> store_totals(const Fence& fence, std::span<const StoredTotals> totals) {
  if (totals.empty()) return {};
  TRIBUTARY_ASSIGN(Statement row, fence.prepare("INSERT OR REPLACE INTO tributary_counter "
                                                "(key, field, actor, increments, decrements) "
                                                "VALUES (?, ?, ?, ?, ?)"));
  for (const StoredTotals& each : totals) {
    row.add_text(each.key).add_blob(each.field).add(fence.lead.actor.value);
    TRIBUTARY_TRY(row.add(each.totals.increments).add(each.totals.decrements).run());
  }
  return {};
}

}  // namespace tributary::sqlite

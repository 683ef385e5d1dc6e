#include <sqlite3.h>

#include <tributary/connectors/sqlite/batches.h>
#include <tributary/connectors/sqlite/resealing.h>

namespace tributary::sqlite {
namespace {

Result<void> drop_batch(const Fence& fence, std::int64_t position) {
  TRIBUTARY_ASSIGN(Statement gone, fence.prepare("DELETE FROM tributary_batch "
                                                 "WHERE position = ? AND confirmed_at IS NULL"));
  TRIBUTARY_TRY(gone.add(position).run());
  if (sqlite3_changes(fence.connection()) == 1) return {};
  return fail(ErrorKind::kConflict, "the batch to seal anew is not there any more");
}

Result<void> park_unsealed(const Fence& fence, const Resealing& resealing, Micros now) {
  if (resealing.parked.empty()) return {};
  TRIBUTARY_ASSIGN(Statement copy,
                   fence.prepare("INSERT INTO tributary_parked (id, transaction_id, key, type, "
                                 "operation, value, amount, context, exact, hlc, tag, reason, "
                                 "parked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  for (const UnsealedRow& row : resealing.parked) {
    copy.add(row.id).add(row.transaction).add_text(row.key).add_text(row.type);
    copy.add_text(row.operation);
    if (row.value) copy.add_blob(*row.value);
    else copy.add_null();
    if (row.amount) copy.add(*row.amount);
    else copy.add_null();
    if (row.context.empty()) copy.add_null();
    else copy.add_blob(row.context);
    copy.add(std::int64_t{row.exact}).add(row.hlc.value).add(row.tag);
    TRIBUTARY_TRY(copy.add_text(resealing.reason).add(std::int64_t{now.count()}).run());
  }
  return {};
}

}  // namespace

Result<void> reseal(Fence& fence, const Resealing& resealing) {
  const Micros now = SystemClock().wall();
  return fence.fenced([&]() -> Result<void> {
    TRIBUTARY_TRY(drop_batch(fence, resealing.position));
    TRIBUTARY_TRY(park_unsealed(fence, resealing, now));
    TRIBUTARY_TRY(store_batches(fence, resealing.batches, now));
    TRIBUTARY_ASSIGN(Statement origin, fence.prepare("UPDATE tributary_origin SET hlc = ?, "
                                                     "head_seq = coalesce(?, head_seq)"));
    origin.add(resealing.hlc.value);
    if (resealing.batches.empty()) origin.add_null();
    else origin.add(resealing.batches.back().last_seq.value);
    return origin.run();
  });
}

}  // namespace tributary::sqlite

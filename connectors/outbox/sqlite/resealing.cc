#include "connectors/outbox/sqlite/resealing.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <sqlite3.h>

#include "connectors/outbox/sqlite/batches.h"

namespace tributary::sqlite {
namespace {

Result<void> drop_batch(const Fence& fence, std::int64_t position) {
  TRIBUTARY_ASSIGN(Statement gone, fence.prepare("DELETE FROM tributary_batch "
                                                 "WHERE position = ? AND confirmed_at IS NULL"));
  TRIBUTARY_TRY(gone.add(position).run());
  if (sqlite3_changes(fence.connection()) == 1) return {};
  return fail(ErrorKind::kConflict, "the batch to seal anew is not there any more");
}

/// The contexts of rows that are parked, each stored once.
class ParkedContexts {
 public:
  explicit ParkedContexts(const Fence& fence) : fence_(fence) {}

  Result<std::int64_t> id_of(const std::shared_ptr<const std::string>& context) {
    const auto known = ids_.find(context);
    if (known != ids_.end()) return known->second;
    TRIBUTARY_ASSIGN(Statement row, fence_.prepare("INSERT INTO tributary_told_context (id, bytes) "
                                                   "VALUES (random(), ?)"));
    TRIBUTARY_TRY(row.add_blob(*context).run());
    return ids_[context] = sqlite3_last_insert_rowid(fence_.connection());
  }

 private:
  const Fence& fence_;
  std::map<std::shared_ptr<const std::string>, std::int64_t> ids_;
};

Result<void> park_unsealed(const Fence& fence, const Resealing& resealing, Micros now) {
  if (resealing.parked.empty()) return {};
  TRIBUTARY_ASSIGN(Statement copy,
                   fence.prepare("INSERT INTO tributary_parked (id, transaction_id, key, type, "
                                 "operation, value, amount, context_id, exact, hlc, tag, reason, "
                                 "parked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  ParkedContexts contexts(fence);
  for (const UnsealedRow& row : resealing.parked) {
    std::optional<std::int64_t> context;
    if (row.context) {
      TRIBUTARY_ASSIGN(context, contexts.id_of(row.context));
    }
    copy.add(row.id).add(row.transaction).add_text(row.key).add_text(row.type);
    copy.add_text(row.operation);
    if (row.value) copy.add_blob(*row.value);
    else copy.add_null();
    if (row.amount) copy.add(*row.amount);
    else copy.add_null();
    if (context) copy.add(*context);
    else copy.add_null();
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
    TRIBUTARY_ASSIGN(Statement origin, fence.prepare("UPDATE tributary_origin SET hlc = ?"));
    return origin.add(resealing.hlc.value).run();
  });
}

}  // namespace tributary::sqlite

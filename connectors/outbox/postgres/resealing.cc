#include "connectors/outbox/postgres/resealing.h"

#include <map>
#include <memory>

#include <libpq-fe.h>

#include "connectors/outbox/postgres/cells.h"
#include "connectors/outbox/postgres/seal.h"
#include "connectors/outbox/postgres/statements.h"
#include "connectors/outbox/postgres/text.h"

namespace tributary::postgres {
namespace {

void queue_parked(Pipeline& pipeline, const Resealing& resealing) {
  if (resealing.parked.empty()) return;
  ArrayParam ids(SqlType::kBigint);
  ArrayParam keys(SqlType::kText);
  ArrayParam types(SqlType::kText);
  ArrayParam operations(SqlType::kText);
  ArrayParam values(SqlType::kBytea);
  ArrayParam amounts(SqlType::kBigint);
  ArrayParam places(SqlType::kBigint);
  ArrayParam contexts(SqlType::kBytea);
  std::map<std::shared_ptr<const std::string>, std::int64_t> placed;
  ArrayParam exacts(SqlType::kBigint);
  for (const UnsealedRow& row : resealing.parked) {
    ids.add(row.id);
    keys.add(row.key);
    types.add(row.type);
    operations.add(row.operation);
    if (row.value) values.add(*row.value);
    else values.add_null();
    if (row.amount) amounts.add(*row.amount);
    else amounts.add_null();
    if (row.context) {
      const auto next = static_cast<std::int64_t>(placed.size()) + 1;
      const auto [known, fresh] = placed.try_emplace(row.context, next);
      if (fresh) contexts.add(*row.context);
      places.add(known->second);
    } else {
      places.add_null();
    }
    exacts.add(std::int64_t{row.exact});
  }
  const UnsealedRow& any = resealing.parked.front();
  pipeline.queue(statements::kParkUnsealed, Params()
                                                .add(ids.finish())
                                                .add(keys.finish())
                                                .add(types.finish())
                                                .add(operations.finish())
                                                .add(values.finish())
                                                .add(amounts.finish())
                                                .add(places.finish())
                                                .add(exacts.finish())
                                                .add(any.transaction)
                                                .add(any.hlc.value)
                                                .add(any.tag)
                                                .add(made_text(resealing.reason))
                                                .add(contexts.finish()));
}

}  // namespace

Result<void> reseal(Pipeline& pipeline, const Fence& fence, const Resealing& resealing) {
  queue_fenced_begin(pipeline, fence);
  pipeline.queue(statements::kDropBatch, Params().add(resealing.position));
  const auto dropped = pipeline.flush();
  if (!dropped && pipeline.dead()) return fail(dropped.error());
  if (!dropped || affected(dropped->back().get()) != 1) {
    pipeline.queue(statements::kRollback);
    TRIBUTARY_TRY(pipeline.flush());
    if (!dropped) return fail(dropped.error());
    return fail(ErrorKind::kConflict, "the batch to seal anew is not there any more");
  }
  queue_parked(pipeline, resealing);
  for (const SealedBatch& batch : resealing.batches) queue_batch(pipeline, batch);
  queue_advance(pipeline, resealing.hlc, resealing.batches);
  return commit_queued(pipeline).map([](const auto&) {});
}

}  // namespace tributary::postgres

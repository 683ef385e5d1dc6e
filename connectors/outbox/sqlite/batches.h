/// Sealed batches in the outbox: pages of them, confirming, forgetting.
#pragma once

#include <span>
#include <vector>

#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/sqlite/fence.h"

namespace tributary::sqlite {

/// See OutboxStore::unconfirmed() and retained(). Rows of a limit are changes.
[[nodiscard]] Result<std::vector<SealedBatch>> unconfirmed_batches(const Fence& fence,
                                                                   std::int64_t after,
                                                                   SealLimit limit);
[[nodiscard]] Result<std::vector<SealedBatch>> retained_batches(const Fence& fence, Seq after,
                                                                SealLimit limit);

/// Within a transaction: batches that follow the origin's head, which the last of them is then.
Result<void> store_batches(const Fence& fence, std::span<const SealedBatch> batches, Micros now);

/// The following run within a transaction, in bounded steps.
Result<void> mark_confirmed(const Fence& fence, ActorId actor, Seq seq, Micros now);
/// A number of batches confirmed before `until`, whose totals are stored.
Result<void> forget_batches(const Fence& fence, Micros until);
/// Goes on deleting the totals of actors before the current one.
Result<void> sweep_totals(const Fence& fence);
Result<void> store_totals(const Fence& fence, std::span<const StoredTotals> totals);

}  // namespace tributary::sqlite

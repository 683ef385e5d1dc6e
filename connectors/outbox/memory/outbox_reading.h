/// What a store in memory reads of its tables within limits. Private to outbox_store.cc.
#pragma once

#include <functional>
#include <vector>

#include "connectors/outbox/memory/outbox_disk.h"

namespace tributary::memory {

/// Copies the transactions that lie within the first `limit` rows; true when that is all rows.
bool take(const OutboxDisk& disk, SealLimit limit, std::vector<StoredRow>& taken);

/// Drops rows that a batch has consumed, wherever they are.
void drop_consumed(OutboxDisk& disk, const ConsumedRows& consumed);

/// The wanted batches, in order, up to `limit`, but one at least.
[[nodiscard]] std::vector<SealedBatch> page(const OutboxDisk& disk, SealLimit limit,
                                            const std::function<bool(const StoredBatch&)>& wanted);

/// A row of a batch that was sealed in vain, as it is parked.
[[nodiscard]] StoredRow stored_row(const UnsealedRow& row);

}  // namespace tributary::memory

/// Rows that were set aside: parking, showing, giving back, forgetting.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/sqlite/fence.h"

namespace tributary::sqlite {

/// Within a transaction: copies those rows to tributary_parked. They stay in the outbox.
Result<void> park(const Fence& fence, std::span<const ParkedRow> rows, Micros now);
/// Within a transaction: see OutboxStore::discard().
[[nodiscard]] Result<void> drop_consumed(const Fence& fence, std::span<const ConsumedRows> rows);
/// See the methods of the same names of OutboxStore.
[[nodiscard]] Result<std::uint64_t> set_aside(Fence& fence, std::string_view reason);
[[nodiscard]] Result<std::vector<WaitingRow>> waiting(const Fence& fence, std::int64_t after,
                                                      std::size_t limit);
[[nodiscard]] Result<std::vector<ParkedChange>> parked(const Fence& fence, std::int64_t after,
                                                       std::size_t limit);
[[nodiscard]] Result<std::uint64_t> retry_parked(const Fence& fence, std::int64_t transaction);
[[nodiscard]] Result<std::uint64_t> discard_parked(const Fence& fence, std::int64_t transaction);
[[nodiscard]] Result<std::vector<DiscardRecord>> discarded(const Fence& fence, std::size_t limit);
[[nodiscard]] Result<void> seal_discarded(Fence& fence, std::span<const DiscardRecord> told,
                                          const SealedBatch& batch, Hlc hlc);

}  // namespace tributary::sqlite

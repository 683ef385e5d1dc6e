/// Rows set aside on PostgreSQL: shown, given back, forgotten.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/postgres/fence.h"
#include "connectors/outbox/postgres/pipeline.h"

namespace tributary::postgres {

/// As OutboxStore has them.
[[nodiscard]] Result<void> drop_consumed(Pipeline& pipeline, const Fence& fence,
                                         std::span<const ConsumedRows> rows);
[[nodiscard]] Result<std::uint64_t> set_aside(Pipeline& pipeline, const Fence& fence,
                                              std::string_view reason);
[[nodiscard]] Result<std::vector<ParkedChange>> read_parked(Pipeline& pipeline, std::int64_t after,
                                                            std::size_t limit);
[[nodiscard]] Result<std::uint64_t> retry_parked(Pipeline& pipeline, std::int64_t transaction);
[[nodiscard]] Result<std::vector<DiscardRecord>> read_discarded(Pipeline& pipeline,
                                                                std::size_t limit);
void queue_forget_discarded(Pipeline& pipeline, std::span<const DiscardRecord> told);
[[nodiscard]] Result<std::uint64_t> discard_parked(Pipeline& pipeline, std::int64_t transaction);

}  // namespace tributary::postgres

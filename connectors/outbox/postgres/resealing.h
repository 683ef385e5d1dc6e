/// A sealed batch that can no longer be published, sealed anew or parked, on PostgreSQL.
#pragma once

#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/postgres/fence.h"
#include "connectors/outbox/postgres/pipeline.h"

namespace tributary::postgres {

/// As OutboxStore has it; the fence's head is as before.
[[nodiscard]] Result<void> reseal(Pipeline& pipeline, const Fence& fence,
                                  const Resealing& resealing);

}  // namespace tributary::postgres

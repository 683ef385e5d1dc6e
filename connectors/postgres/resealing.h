/// A sealed batch that can no longer be published, sealed anew or parked, on PostgreSQL.
#pragma once

#include <tributary/connectors/outbox_store.h>
#include <tributary/connectors/postgres/fence.h>
#include <tributary/connectors/postgres/pipeline.h>

namespace tributary::postgres {

/// As OutboxStore has it; the fence's head is as before.
[[nodiscard]] Result<void> reseal(Pipeline& pipeline, const Fence& fence,
                                  const Resealing& resealing);

}  // namespace tributary::postgres

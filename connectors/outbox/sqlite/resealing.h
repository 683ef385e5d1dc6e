/// A sealed batch that can no longer be published, sealed anew or parked, on SQLite.
#pragma once

#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/sqlite/fence.h"

namespace tributary::sqlite {

/// As OutboxStore has it. Raises the fence's head.
[[nodiscard]] Result<void> reseal(Fence& fence, const Resealing& resealing);

}  // namespace tributary::sqlite

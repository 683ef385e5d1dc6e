/// Changes on their way that a changed topology would no longer take, or not as what they are.
#pragma once

#include "cli/type_changes.h"
#include "connectors/outbox/outbox_store.h"

namespace tributary::cli {

/// Looks through what waits in the origin's outbox, and through its sealed batches that are not
/// confirmed, and adds to `changes` what `after` takes as another type than `before` does, or (of
/// rows) not at all. Looks no further than a bound; what is behind it counts as not asked.
[[nodiscard]] Result<void> look_at_waiting(OutboxStore& store, const OriginName& origin,
                                           const Schema& before, const Schema& after,
                                           TypeChanges& changes);

}  // namespace tributary::cli

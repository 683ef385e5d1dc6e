/// The origin's row: leading, minting, former actors.
#pragma once

#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/sqlite/fence.h"

namespace tributary::sqlite {

/// Raises the leader epoch, and gives a copy of another file an identity of its own. Sets the
/// fence's lead. kFatal when the database is another origin's.
[[nodiscard]] Result<OriginRecord> take_lead(Fence& fence, const OriginName& origin,
                                             const OpenFile& file);
/// See OutboxStore::mint().
[[nodiscard]] Result<void> mint(Fence& fence, const Minting& minting);
/// Oldest first.
[[nodiscard]] Result<std::vector<FormerActor>> former_actors(const Fence& fence);

}  // namespace tributary::sqlite

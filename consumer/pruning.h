/// Drops deferred removes that the replica's watermark has caught up with.
#pragma once

#include <tributary/base/result.h>
#include <tributary/connectors/replica_store.h>
#include <tributary/crdt/version_vector.h>

namespace tributary {

/// Looks through some of the keys that hold deferred removes. True when there are any left. A key
/// that changes meanwhile is left for the next time.
[[nodiscard]] Result<bool> prune_deferred(ReplicaStore& store, const VersionVector& watermark);

}  // namespace tributary

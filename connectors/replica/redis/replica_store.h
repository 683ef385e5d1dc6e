/// A region's replica in Redis 7. The layout is told in docs/replica-layout.md.
#pragma once

#include <memory>

#include <tributary/base/result.h>

#include "connectors/replica/redis/endpoint.h"
#include "connectors/replica/replica_store.h"

namespace tributary::redis {

/// Connects, logs in and loads the commit script. After a transient error the store is dead: open a
/// new one. A commit that ends in a transient error may or may not have happened. Errors: those of
/// Connection::open().
[[nodiscard]] Result<std::unique_ptr<ReplicaStore>> open_replica_store(const Endpoint& endpoint);

}  // namespace tributary::redis

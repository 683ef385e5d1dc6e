/// A region's replica in Redis 7. One thread; after a transient error open a new one.
#pragma once

#include <memory>

#include <tributary/base/result.h>
#include <tributary/connectors/redis/endpoint.h>
#include <tributary/connectors/replica_store.h>

namespace tributary::redis {

/// Connects and loads the commit script.
[[nodiscard]] Result<std::unique_ptr<ReplicaStore>> open_replica_store(const Endpoint& endpoint);

}  // namespace tributary::redis

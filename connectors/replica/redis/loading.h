/// Keys as loaded from a replica in Redis.
#pragma once

#include <span>
#include <vector>

#include "connectors/replica/redis/connection.h"
#include "connectors/replica/replica_store.h"

namespace tributary::redis {

/// ReplicaStore::load().
[[nodiscard]] Result<std::vector<LoadedKey>> load_keys(Connection& connection,
                                                       std::span<const KeyLoad> loads);

}  // namespace tributary::redis

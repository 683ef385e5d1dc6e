/// Whether a Redis server is fit for a replica.
#pragma once

#include <string>
#include <vector>

#include "connectors/replica/redis/connection.h"

namespace tributary::redis {

/// Tries every command that the store uses, without any effect. kFatal, naming them, when the user
/// may not run some: a commit that is refused one of them would stop half-way. So it is when the
/// user may not touch the keys that are the replica's own.
[[nodiscard]] Result<void> probe_commands(Connection& connection);

/// ReplicaStore::warnings().
[[nodiscard]] Result<std::vector<std::string>> read_warnings(Connection& connection);

}  // namespace tributary::redis

/// Which region's consumer writes to a Redis.
#pragma once

#include <optional>

#include <tributary/base/ids.h>

#include "base/clock.h"
#include "connectors/replica/redis/connection.h"

namespace tributary::redis {

/// As ReplicaStore::claim() and claimed_by().
[[nodiscard]] Result<void> claim(Connection& connection, const RegionName& region, Millis time);
[[nodiscard]] Result<std::optional<RegionName>> read_claim(Connection& connection);

}  // namespace tributary::redis

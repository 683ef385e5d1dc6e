/// tributary:deferring: the keys whose state holds deferred removes, as their versions say.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "connectors/replica/redis/connection.h"

namespace tributary::redis {

/// As in ReplicaStore.
[[nodiscard]] Result<std::vector<std::string>> read_deferring(Connection& connection,
                                                              std::size_t limit);
/// Lists those of `keys` that are deferring, and no others of them.
[[nodiscard]] Result<void> list_deferring(Connection& connection,
                                          std::span<const std::string> keys);
/// Drops what is listed and is not deferring.
[[nodiscard]] Result<void> unlist_others(Connection& connection);

}  // namespace tributary::redis

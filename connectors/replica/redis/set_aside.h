/// Changes set aside, and the keys that wait for them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/replica/redis/connection.h"
#include "connectors/replica/replica_store.h"

namespace tributary::redis {

// As in ReplicaStore.
[[nodiscard]] Result<std::vector<ParkedEntry>> read_parked(Connection& connection,
                                                           std::string_view after,
                                                           std::size_t limit);
[[nodiscard]] Result<std::vector<ReplicaStore::ParkedSize>> read_parked_sizes(
    Connection& connection, std::string_view after, std::size_t limit);
[[nodiscard]] Result<std::vector<ParkedEntry>> read_parked_for(Connection& connection,
                                                               std::string_view key,
                                                               std::size_t limit);
[[nodiscard]] Result<std::uint64_t> count_parked(Connection& connection);
[[nodiscard]] Result<std::vector<std::string>> read_discarded(Connection& connection);
[[nodiscard]] Result<std::vector<std::pair<std::string, KeyBlock>>> read_blocked(
    Connection& connection, std::string_view after, std::size_t limit);

}  // namespace tributary::redis

/// Views as read for people and for checks.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tributary/crdt/view.h>

#include "connectors/replica/redis/connection.h"
#include "connectors/replica/replica_store.h"

namespace tributary::redis {

/// ReplicaStore::read(). kInvalid for a view of a Redis type that no view has.
[[nodiscard]] Result<KeyReading> read_key(Connection& connection, std::string_view key);

/// ReplicaStore::view().
[[nodiscard]] Result<ReplicaStore::ViewContent> read_view(Connection& connection,
                                                          std::string_view key,
                                                          std::size_t members);

/// ReplicaStore::changed_views().
[[nodiscard]] Result<std::vector<ChangedView>> find_changed_views(
    Connection& connection, std::span<const std::pair<std::string_view, crdt::ViewKind>> views);

}  // namespace tributary::redis

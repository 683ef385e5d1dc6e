/// From the topology to connectors.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <tributary/base/result.h>

#include "config/topology.h"
#include "connectors/changelog/changelog.h"
#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/producer_session.h"
#include "connectors/replica/replica_store.h"

namespace tributary::cli {

using OpenStore = std::function<Result<std::unique_ptr<OutboxStore>>()>;
using OpenReplicaStore = std::function<Result<std::unique_ptr<ReplicaStore>>()>;

/// The factories keep copies; they may outlive the topology.
[[nodiscard]] OpenStore store_of(const config::Origin& origin);
[[nodiscard]] OpenReplicaStore replica_of(const config::Region& region);
/// The changelogs on the broker of `owner`, as reached from `viewer`.
[[nodiscard]] Result<std::unique_ptr<Changelog>> changelog_of(const config::Topology& topology,
                                                              const config::Region& owner,
                                                              const RegionName& viewer);
/// A producer's connection to the origin's database.
[[nodiscard]] Result<std::unique_ptr<ProducerSession>> session_of(const config::Origin& origin);
/// Creates or upgrades the outbox tables and stores the schema in them.
[[nodiscard]] Result<void> apply_schema(const config::Topology& topology,
                                        const config::Origin& origin);

/// The named region or origin, or kInvalid listing those there are. An empty name stands for the
/// only one.
[[nodiscard]] Result<const config::Region*> find_region(const config::Topology& topology,
                                                        const std::string& name);
[[nodiscard]] Result<const config::Origin*> find_origin(const config::Topology& topology,
                                                        const std::string& name);

}  // namespace tributary::cli

/// The consumer of one region as threads: a reader per origin, one applier for the replica.
#pragma once

#include <map>
#include <stop_token>

#include <tributary/base/clock.h>
#include <tributary/base/metrics.h>
#include <tributary/base/result.h>
#include <tributary/connectors/changelog.h>
#include <tributary/consumer/applier.h>
#include <tributary/consumer/settings.h>

namespace tributary {

/// What a region's consumer works with. All are borrowed and outlive run().
struct ConsumerPorts {
  OpenReplica open_replica;
  std::map<OriginName, Changelog*> changelogs;  ///< where each origin's log is read
  Clock* clock = nullptr;
  Metrics* metrics = nullptr;
};

/// Runs until `stop`. What is being applied is finished, the rest stays in the changelogs. An error
/// means that this process cannot go on.
[[nodiscard]] Result<void> run_consumer(const ConsumerSettings& settings,
                                        const ConsumerPorts& ports, std::stop_token stop);

}  // namespace tributary

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

/// Runs until `stop`. What is being applied is finished, the rest stays in the changelogs. No
/// refusal ends it: an origin that may not be read does not stop the others, and a replica that
/// refuses its consumer is tried again, slowly, because passwords are rotated while we run. The
/// gauges tributary_consumer_failed (by origin), …_replica_failed and …_replica_connected tell.
[[nodiscard]] Result<void> run_consumer(const ConsumerSettings& settings,
                                        const ConsumerPorts& ports, std::stop_token stop);

}  // namespace tributary

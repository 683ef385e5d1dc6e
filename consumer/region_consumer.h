/// The consumer of one region as threads: a reader per origin, one applier for the replica.
#pragma once

#include <map>
#include <memory>
#include <stop_token>

#include "base/clock.h"
#include "base/crew.h"
#include "base/metrics.h"
#include "connectors/changelog/changelog.h"
#include "consumer/applier.h"
#include "consumer/settings.h"

namespace tributary {

/// What a region's consumer works with, and shares with whoever else does.
struct ConsumerPorts {
  OpenReplica open_replica;
  /// Where each origin's log is read.
  std::map<OriginName, std::shared_ptr<Changelog>> changelogs;
  std::shared_ptr<Clock> clock;
  std::shared_ptr<Metrics> metrics;
};

/// Goes on until `stop`. What is being applied is finished, the rest stays in the changelogs. No
/// refusal ends it: an origin that may not be read does not stop the others, and a replica that
/// refuses its consumer is tried again, slowly, because passwords are rotated while we run. The
/// gauges tributary_consumer_failed (by origin), …_replica_failed and …_replica_connected tell.
///
/// A thread whose server hangs ends when the call into it does, and can do no harm until then: a
/// reader changes nothing, and a commit is guarded by the replica's token.
[[nodiscard]] Crew start_consumer(const ConsumerSettings& settings, const ConsumerPorts& ports,
                                  std::stop_token stop);

}  // namespace tributary

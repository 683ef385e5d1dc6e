/// The relays of some origins as threads: one per origin, and one per region that copies the
/// replica's progress for the writers' context.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>

#include "base/clock.h"
#include "base/crew.h"
#include "base/metrics.h"
#include "connectors/changelog/changelog.h"
#include "connectors/outbox/outbox_store.h"
#include "connectors/replica/replica_store.h"
#include "relay/origin_relay.h"
#include "relay/settings.h"

namespace tributary {

/// One origin to relay.
struct RelayedOrigin {
  OriginName name;
  RegionName region;
  std::function<Result<std::unique_ptr<OutboxStore>>()> open_store;
  std::function<Result<std::unique_ptr<ReplicaStore>>()> open_replica;  ///< of its own region
  /// Of the other regions: asked, as far as they answer, what was published of the origin.
  std::vector<std::function<Result<std::unique_ptr<ReplicaStore>>()>> open_others = {};
  std::shared_ptr<Changelog> changelog;
  RelaySettings settings;
};

/// Goes on until `stop`, then up to `drain` for what is sealed to be confirmed, as long as
/// something is. No origin's fault ends it or stops another origin: a refused login, a dropped
/// database or a missing right is retried slowly, said once, and shown by
/// tributary_relay_failed{origin}, until the origin has been led without a failure for a while.
///
/// A thread whose server hangs ends when the call into it does: a relay that is left behind drains
/// no more and gives its lease back, for which one that was started anew waits as a standby does.
[[nodiscard]] Crew start_relays(std::vector<RelayedOrigin> origins, Millis drain,
                                std::shared_ptr<Clock> clock, std::shared_ptr<Metrics> metrics,
                                std::stop_token stop);

}  // namespace tributary

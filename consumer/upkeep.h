/// What is done for a replica between its commits, in bounded steps: asking whether it went back,
/// dropping deferred removes, comparing views with states, trying again what an upgrade has made
/// possible, counting what is parked.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "consumer/known_replica.h"
#include "consumer/origin_state.h"
#include "consumer/parking.h"
#include "consumer/progress_check.h"
#include "consumer/pruning.h"
#include "consumer/scrub.h"

namespace tributary {

/// One thread: the applier's.
class Upkeep {
 public:
  Upkeep(const ConsumerSettings& settings, Clock& clock, Metrics& metrics, Parking& parking);

  /// A session begins; keys of commits that stopped half-way are put right first.
  Result<void> open(ReplicaStore& store, KnownReplica& known,
                    std::span<const std::string> unfinished);
  /// Does what is due. `idle`: nothing else is waiting. kConflict when the replica is not the one
  /// that is known.
  Result<void> step(ReplicaStore& store, KnownReplica& known,
                    const std::map<OriginName, OriginState>& origins, bool idle);
  /// There may be deferred removes.
  void deferring() { deferring_ = true; }

 private:
  /// True at most once per interval.
  [[nodiscard]] bool due(Micros& next, Micros interval) const;
  Result<void> retry_after_upgrade(ReplicaStore& store);
  Result<void> retry_after_roll_out(ReplicaStore& store);

  const ConsumerSettings& settings_;
  Clock& clock_;
  Parking& parking_;
  Gauge& parked_;
  ProgressCheck progress_check_;
  Scrub scrub_;
  Pruning pruning_;
  bool deferring_ = false;
  std::optional<std::string> retried_to_;  ///< absent: all were tried
  std::string fitting_to_;                 ///< goes round
  Micros fitting_at_{0};
  Millis fitting_pause_{1000};
  Micros token_at_{0};
  Micros prune_at_{0};
  Micros scrub_at_{0};
  Micros count_at_{0};
};

}  // namespace tributary

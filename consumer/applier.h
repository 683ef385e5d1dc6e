/// Applies what was read to the replica: plans which batches may be obeyed, joins, and commits data
/// and progress together.
///
/// Progress lives in the replica. Whatever the replica loses (a failover, an old snapshot, a
/// FLUSHALL) it loses the progress with it; its token tells, at the next commit or within a second,
/// and the readers start again from where the replica says.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tributary/base/result.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "connectors/replica/replica_store.h"
#include "consumer/intake.h"
#include "consumer/known_replica.h"
#include "consumer/origin_state.h"
#include "consumer/parking.h"
#include "consumer/read_ahead.h"
#include "consumer/upkeep.h"
#include "consumer/waiting_progress.h"

namespace tributary {

using OpenReplica = std::function<Result<std::unique_ptr<ReplicaStore>>()>;

/// One thread.
class Applier {
 public:
  Applier(OpenReplica open_replica, ReadAhead& read_ahead, const ConsumerSettings& settings,
          Clock& clock, Metrics& metrics);

  /// Applies what the read-ahead holds; the value is how long the caller may wait for more. Only
  /// kFatal and kInvalid come back as errors: everything else is retried with back-off.
  Result<Millis> step();
  /// No step() will follow: notes how far the origins were read.
  void finish();

 private:
  Result<Millis> open();
  /// Lets no other region's consumer write here, nor writes where another does.
  Result<void> claim();
  void warn();
  Result<Millis> work();
  Result<void> apply(std::vector<Arrival> received);
  Result<void> commit(Plan& plan);
  Result<void> join_and_commit(Plan& plan);
  /// Nothing when it is worth trying again; otherwise why the replica is not the one known.
  Result<void> resolve_conflict(Plan& plan);
  void committed(const Plan& plan, const ParkingPlan& parked);
  void moved(const Plan& plan);
  Result<void> commit_heartbeats();
  Result<void> commit_waiting();
  Result<void> retry_halted();
  /// What cannot be read in the replica, once each.
  void tell_damage(const ReplicaProgress& progress);
  Result<Millis> recover(const Error& error);

  OpenReplica open_replica_;
  ReadAhead& read_ahead_;
  const ConsumerSettings& settings_;
  Clock& clock_;
  Backoff backoff_;
  EventCount& conflicts_;
  EventCount& changes_;
  EventCount& batches_;
  EventCount& parked_;
  Gauge& connected_;

  std::unique_ptr<ReplicaStore> store_;
  Micros claim_at_{0};
  KnownReplica known_;
  std::map<OriginName, OriginState> origins_;
  Parking parking_;
  Intake intake_;
  Upkeep upkeep_;
  WaitingProgress waiting_;
  std::string outage_;  ///< the reason told last; empty: all is well
  std::set<std::string> warned_;
};

}  // namespace tributary

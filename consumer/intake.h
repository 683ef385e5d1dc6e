/// Turns messages of the changelogs into the plan of one commit. Not for: carrying it out (see
/// applier.h).
#pragma once

#include <map>
#include <vector>

#include "base/clock.h"
#include "consumer/commit_group.h"
#include "consumer/known_replica.h"
#include "consumer/origin_state.h"
#include "consumer/parking.h"
#include "consumer/planner.h"
#include "consumer/read_ahead.h"

namespace tributary {

/// One group of messages, and what committing it will change.
struct Plan {
  Plan(std::vector<Arrival> messages, const KnownReplica& known, const Schema& schema,
       const std::vector<OriginName>& origins)
      : received(std::move(messages)),
        standing(known.watermark, known.actors, origins, &known.doubtful),
        group(schema) {
    std::size_t deltas = 0;
    for (const Arrival& each : received) deltas += each.batch ? each.batch->deltas.size() : 0;
    group.reserve(deltas);
  }

  std::vector<Arrival> received;  ///< owns the batches that deltas point into
  Standing standing;
  CommitGroup group;
  std::map<OriginName, OriginProgress> progress;
  std::vector<ParkedEntry> messages;  ///< set aside as a whole
  bool heads = false;                 ///< an origin's actor or head moves
  Hlc hlc;
  std::size_t changes = 0;
  std::size_t batches = 0;

  /// Offsets and times alone can wait for the next commit.
  [[nodiscard]] bool matters() const {
    return heads || batches > 0 || !messages.empty() || !standing.changed().empty();
  }
};

/// One thread. All is borrowed.
class Intake {
 public:
  Intake(std::map<OriginName, OriginState>& origins, ReadAhead& read_ahead, Parking& parking,
         Clock& clock)
      : origins_(origins), read_ahead_(read_ahead), parking_(parking), clock_(clock) {}

  /// Plans all of plan.received.
  Result<void> plan(ReplicaStore& store, Plan& plan);

 private:
  Result<void> plan_message(ReplicaStore& store, Plan& plan, const Arrival& received);
  Result<void> park(ReplicaStore& store, Plan& plan, const Arrival& received, std::string reason);
  Result<void> plan_batch(ReplicaStore& store, Plan& plan, const Arrival& received,
                          const Batch& batch);
  void move_on(Plan& plan, const Arrival& received, const Batch* batch = nullptr,
               HistoryDigest history = {});

  std::map<OriginName, OriginState>& origins_;
  ReadAhead& read_ahead_;
  Parking& parking_;
  Clock& clock_;
  VersionVector heads_;  ///< as told by the origins
};

}  // namespace tributary

/// Drops deferred removes that what the replica holds has caught up with.
#pragma once

#include <map>
#include <set>

#include <tributary/base/result.h>

#include "connectors/replica/replica_store.h"
#include "consumer/known_replica.h"
#include "consumer/origin_state.h"

namespace tributary {

/// One thread; lives as long as the applier, whatever becomes of its sessions with the replica.
class Pruning {
 public:
  Pruning(const std::set<OriginName>& retired, const Clock& clock)
      : retired_(retired), clock_(clock) {}

  /// Looks through some of the keys that hold deferred removes. True when there are any left. Keys
  /// that are blocked, or change meanwhile, are left for the next time. kConflict when the replica
  /// is not the one that is known: the watermark was of another.
  Result<bool> step(ReplicaStore& store, KnownReplica& known,
                    const std::map<OriginName, OriginState>& origins);

 private:
  Result<bool> prune_key(ReplicaStore& store, KnownReplica& known,
                         const std::map<OriginName, OriginState>& origins, const std::string& key);
  /// Whether a change that is not here, and that a context claims, can never come.
  bool never_comes(const KnownReplica& known, const std::map<OriginName, OriginState>& origins,
                   ActorId actor, Seq seq);

  /// Whether the origin may still bring changes of an actor that nobody has spoken for, when all
  /// that was published before `passed` was not it.
  [[nodiscard]] bool may_bring(const OriginState& origin, ActorId actor, Hlc passed) const;

  struct Met {
    Hlc hlc;    ///< the replica's
    Micros at;  ///< by the monotonic clock
  };
  const std::set<OriginName>& retired_;
  const Clock& clock_;
  /// Actors that nobody has spoken for yet, and when each was met first. Once all origins that may
  /// be its own have passed that, whatever a writer had seen by then would be here.
  std::map<ActorId, Met> strangers_;
};

}  // namespace tributary

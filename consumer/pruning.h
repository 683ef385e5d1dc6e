/// Drops deferred removes that what the replica holds has caught up with.
#pragma once

#include <map>

#include <tributary/base/result.h>
#include <tributary/connectors/replica_store.h>
#include <tributary/consumer/known_replica.h>
#include <tributary/consumer/origin_state.h>

namespace tributary {

/// One thread; lives as long as the applier.
class Pruning {
 public:
  /// Looks through some of the keys that hold deferred removes. True when there are any left. Keys
  /// that are blocked, or change meanwhile, are left for the next time. kConflict when the replica
  /// is not the one that is known: the watermark was of another.
  Result<bool> step(ReplicaStore& store, KnownReplica& known,
                    const std::map<OriginName, OriginState>& origins);
  void restart() { strangers_.clear(); }

 private:
  Result<bool> prune_key(ReplicaStore& store, KnownReplica& known,
                         const std::map<OriginName, OriginState>& origins, const std::string& key);
  /// Whether a change that is not here, and that a context claims, can never come.
  bool never_comes(const KnownReplica& known, const std::map<OriginName, OriginState>& origins,
                   ActorId actor, Seq seq);

  /// Actors that nobody has spoken for yet, and the replica's hlc when each was met first. Once all
  /// origins have passed that, whatever a writer had seen by then would be here.
  std::map<ActorId, Hlc> strangers_;
};

}  // namespace tributary

/// What the applier knows of its replica's progress, proven to be current by the token at every
/// commit.
#pragma once

#include <map>
#include <string>

#include "connectors/replica/replica_store.h"

namespace tributary {

struct KnownReplica {
  std::string token;
  VersionVector watermark;
  std::map<ActorId, ActorRecord> actors;
  Hlc hlc;
  std::map<ActorId, std::string> doubtful = {};  ///< see ReplicaProgress
};

/// kConflict when the replica is not the one that is known: it was flushed, rolled back, or written
/// to by another consumer.
[[nodiscard]] inline Result<void> check_token(ReplicaStore& store, const KnownReplica& known) {
  TRIBUTARY_ASSIGN(const std::string now, store.token());
  if (now == known.token) return {};
  return fail(ErrorKind::kConflict,
              "it was flushed, went back, or another consumer has written to it");
}

}  // namespace tributary

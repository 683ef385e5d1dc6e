/// Compares views with what their states say, and makes whole what differs: views that expired, or
/// were deleted or changed by others. Not for: rebuilding states (see rebuilder.h).
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>

#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>

#include "base/metrics.h"
#include "connectors/replica/replica_store.h"
#include "consumer/known_replica.h"

namespace tributary {

/// One thread.
class Scrub {
 public:
  explicit Scrub(Metrics& metrics);

  /// Looks at about `limit` keys more, from the first again after the last. A key of another type
  /// than `schema` gives it is blocked. Members of views with
  /// more than 10,000, or 16 MiB, are not compared, only their number. kConflict when the replica
  /// is not the one that is known.
  Result<void> step(ReplicaStore& store, KnownReplica& known, const Schema& schema,
                    std::size_t limit);
  /// Another session. A key that ended three of them in a row is left out from then on: whatever
  /// is wrong with it must not stop the region.
  void restart();

 private:
  Result<bool> of_its_type(ReplicaStore& store, KnownReplica& known, const Schema& schema,
                           const std::string& key, const LoadedKey& head);
  Result<void> look_at(ReplicaStore& store, KnownReplica& known, const std::string& key,
                       const LoadedKey& head, bool changed);

  /// As look_at(), remembering the key in case it ends the session.
  Result<void> watched(ReplicaStore& store, KnownReplica& known, const Schema& schema,
                       const std::string& key, const LoadedKey& head, bool changed);

  EventCount& mended_;
  std::string cursor_;
  std::string at_;                                 ///< the key that is looked at
  std::map<std::string, int, std::less<>> ended_;  ///< sessions, since it was looked at well
  std::set<std::string, std::less<>> left_out_;
};

/// Puts right what commits that stopped half-way have left.
Result<void> finish_commits(ReplicaStore& store, KnownReplica& known,
                            std::span<const std::string> unfinished);

}  // namespace tributary

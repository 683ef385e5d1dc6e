/// Compares views with what their states say, and makes whole what differs: views that expired, or
/// were deleted or changed by others. Not for: rebuilding states (see rebuilder.h).
#pragma once

#include <span>
#include <string>

#include <tributary/base/metrics.h>
#include <tributary/base/result.h>
#include <tributary/connectors/replica_store.h>
#include <tributary/consumer/known_replica.h>

namespace tributary {

/// One thread.
class Scrub {
 public:
  explicit Scrub(Metrics& metrics);

  /// Looks at about `limit` keys more, from the first again after the last. Members of views with
  /// more than 10,000 are not compared, only their number. kConflict when the replica is not the
  /// one that is known.
  Result<void> step(ReplicaStore& store, KnownReplica& known, std::size_t limit);
  void restart() { cursor_.clear(); }

 private:
  Result<void> look_at(ReplicaStore& store, KnownReplica& known, const std::string& key,
                       const LoadedKey& head, bool changed);

  Counter& mended_;
  std::string cursor_;
};

/// Puts right what commits that stopped half-way have left.
Result<void> finish_commits(ReplicaStore& store, KnownReplica& known,
                            std::span<const std::string> unfinished);

}  // namespace tributary

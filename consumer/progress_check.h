/// Notices that another program dropped or changed some of a replica's progress and left its token,
/// so that no commit tells. (That the replica was flushed or went back, the token tells.)
///
/// Of all actors it looks how many there are, every time; of those that origins publish by, and of
/// some hundred others in turn, what stands there. So what is dropped shows at once, and no look
/// grows with the number of actors.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include <tributary/base/result.h>

#include "connectors/replica/replica_store.h"
#include "consumer/known_replica.h"
#include "consumer/origin_state.h"

namespace tributary {

/// One thread.
class ProgressCheck {
 public:
  /// Another session.
  void restart() { beside_.reset(); }
  /// kConflict when the progress is not as known, though the token is.
  Result<void> step(ReplicaStore& store, const KnownReplica& known,
                    const std::map<OriginName, OriginState>& origins);

 private:
  /// How much stands beside what is known, in the watermark and in the records of the actors: what
  /// others wrote there. Below 0: there is less than is known.
  using Beside = std::pair<std::int64_t, std::int64_t>;
  std::optional<Beside> beside_;  ///< when all was compared last
  ActorId next_;                  ///< to be asked for
};

}  // namespace tributary

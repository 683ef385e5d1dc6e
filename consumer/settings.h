/// Bounds and intervals of a consumer; the topology's `consumer` section fills it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

#include <tributary/base/ids.h>
#include <tributary/crdt/schema.h>

#include "base/clock.h"

namespace tributary {

struct ConsumerSettings {
  RegionName region = {};             ///< whose replica this is; empty: it may be anybody's
  Schema schema = {};                 ///< which type a key must have; keys it does not name: any
  std::set<OriginName> retired = {};  ///< origins that write no more
  std::size_t group_deltas = 8192;    ///< deltas joined and committed at once, but whole batches
  std::size_t queue_batches = 32;     ///< read ahead, per origin
  std::size_t queue_bytes = 4 << 20;  ///< read ahead, per origin
  std::uint64_t parked_bodies = 100'000;                  ///< changes set aside with their bytes
  std::uint64_t parked_bytes = std::uint64_t{256} << 20;  ///< of all changes that are set aside
  std::size_t scrub_keys_per_second = 100;  ///< views compared with their states; 0: none
  Millis gap_patience{5000};                ///< how long a missing batch may still turn up
  Millis gap_retry{30'000};          ///< an origin stopped by too much that is parked tries again
  Millis prune_interval{1000};       ///< deferred removes are looked through this often
  Millis token_interval{500};        ///< an idle replica is asked whether it went back this often
  Millis skipped_commit{10'000};     ///< messages that change nothing wait at most so long …
  Millis heartbeat_commit{300'000};  ///< … heartbeats among them so long …
  Millis heartbeat_silence{60'000};  ///< … unless no other one comes for so long
  Millis backoff_first{50};
  Millis backoff_max{5000};
};

}  // namespace tributary

/// Bounds and intervals of a consumer; the topology's `consumer` section fills it.
#pragma once

#include <cstddef>

#include <tributary/base/clock.h>

namespace tributary {

struct ConsumerSettings {
  std::size_t group_deltas = 8192;    ///< deltas joined and committed at once, but whole batches
  std::size_t queue_batches = 32;     ///< read ahead, per origin
  std::size_t queue_bytes = 4 << 20;  ///< read ahead, per origin
  Millis gap_patience{5000};          ///< how long a missing batch may still turn up
  Millis gap_retry{30'000};           ///< a stopped origin is tried again this often
  Millis prune_interval{1000};        ///< deferred removes are looked through this often
  Millis backoff_first{50};
  Millis backoff_max{5000};
};

}  // namespace tributary

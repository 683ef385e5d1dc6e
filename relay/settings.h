/// Bounds and intervals of a relay; the topology's `relay` and `outbox` sections fill it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tributary/base/ids.h>

#include "base/clock.h"

namespace tributary {

struct RelaySettings {
  std::vector<OriginName> origins = {};      ///< all that the topology names
  std::size_t batch_changes = 16384;         ///< rows taken by one seal, but whole transactions
  std::size_t batch_bytes = 4 << 20;         ///< of values taken by one seal, about
  std::size_t unconfirmed_batches = 64;      ///< sealing pauses when so many wait for a confirm
  std::size_t unconfirmed_bytes = 32 << 20;  ///< or so many bytes
  std::size_t unsaved_totals = 20'000;       ///< running totals kept back from the database
  Millis poll_min{1};                        ///< wait after a seal that found rows
  Millis poll_max{20};                       ///< wait after many that found none
  Millis heartbeat{1000};                    ///< an idle origin says so after this, then less …
  Millis heartbeat_max{30'000};              ///< … and less often, down to this
  Millis housekeeping{10'000};   ///< totals are saved and old batches forgotten this often
  Millis confirm_interval{100};  ///< confirms are written to the outbox this often
  Millis context_refresh{50};    ///< the region's watermark is copied this often
  Millis lease_retry{500};       ///< a standby asks for the lease this often
  Millis backoff_first{50};
  Millis backoff_max{5000};
  Micros max_skew{1'000'000};                ///< a timestamp further ahead is clamped
  Micros retention{std::chrono::hours(24)};  ///< confirmed batches are kept this long
};

}  // namespace tributary

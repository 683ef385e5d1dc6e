/// The metrics of one origin's relay.
#pragma once

#include <tributary/base/ids.h>

#include "base/metrics.h"

namespace tributary {

struct RelayMetrics {
  RelayMetrics(Metrics& metrics, const OriginName& origin);

  /// What only a leader knows is 0 from here on.
  void lost_lease();

  Counter& sealed_changes;
  Counter& sealed_batches;
  Counter& sealed_pieces;
  Counter& parked_changes;
  Counter& capped_contexts;
  Gauge& database_connected;
  Gauge& leading;
  Gauge& waiting_changes;
  Gauge& outbox_depth;
  Gauge& outbox_oldest_seconds;
};

}  // namespace tributary

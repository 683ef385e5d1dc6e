/// The metrics of one origin's relay.
#pragma once

#include <tributary/base/ids.h>

#include "base/metrics.h"

namespace tributary {

struct RelayMetrics {
  RelayMetrics(Metrics& metrics, const OriginName& origin);

  /// What only a leader knows is 0 from here on.
  void lost_lease();

  EventCount& sealed_changes;
  EventCount& sealed_batches;
  EventCount& sealed_pieces;
  EventCount& parked_changes;
  EventCount& capped_contexts;
  Gauge& database_connected;
  Gauge& leading;
  Gauge& waiting_changes;
  Gauge& outbox_depth;
  Gauge& outbox_oldest_seconds;
};

}  // namespace tributary

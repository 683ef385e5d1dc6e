#include "relay/relay_metrics.h"

namespace tributary {

RelayMetrics::RelayMetrics(Metrics& metrics, const OriginName& origin)
    : sealed_changes(metrics.event_count("tributary_relay_sealed_changes_total",
                                         "Changes sealed into batches",
                                         {{"origin", origin.value}})),
      sealed_batches(metrics.event_count("tributary_relay_sealed_batches_total", "Batches sealed",
                                         {{"origin", origin.value}})),
      sealed_pieces(metrics.event_count("tributary_relay_sealed_pieces_total",
                                        "Batches that end within a transaction, too large for one",
                                        {{"origin", origin.value}})),
      parked_changes(metrics.event_count("tributary_relay_parked_changes_total",
                                         "Outbox rows set aside at sealing",
                                         {{"origin", origin.value}})),
      capped_contexts(metrics.event_count("tributary_relay_capped_contexts_total",
                                          "Contexts that claimed more than the region has applied",
                                          {{"origin", origin.value}})),
      database_connected(metrics.gauge("tributary_relay_database_connected",
                                       "1 while the origin's database is open",
                                       {{"origin", origin.value}})),
      leading(metrics.gauge("tributary_relay_leading", "1 while this relay has the lease",
                            {{"origin", origin.value}})),
      waiting_changes(metrics.gauge("tributary_relay_waiting_changes",
                                    "Outbox rows that wait for a newer relay",
                                    {{"origin", origin.value}})),
      outbox_depth(metrics.gauge("tributary_relay_outbox_depth",
                                 "Rows committed and not yet sealed, as of the last look",
                                 {{"origin", origin.value}})),
      outbox_oldest_seconds(metrics.gauge("tributary_relay_outbox_oldest_seconds",
                                          "Age of the oldest of them",
                                          {{"origin", origin.value}})) {
  database_connected.set(0);
}

void RelayMetrics::lost_lease() {
  leading.set(0);
  waiting_changes.set(0);
}

}  // namespace tributary

/// What the relay's statements return, in the port's words; and the totals of former actors.
#pragma once

#include <string>
#include <vector>

#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/postgres/pipeline.h"

namespace tributary::postgres {

/// Of statements::kLead. The current identity differs from that of the minting when the row was put
/// there by a restore.
[[nodiscard]] OriginRecord read_origin(const PGresult* row);
[[nodiscard]] std::vector<FormerActor> read_former(const PGresult* rows);
[[nodiscard]] VersionVector read_told(const PGresult* row);
[[nodiscard]] std::vector<WaitingRow> read_waiting(const PGresult* rows);
[[nodiscard]] OutboxStatus read_status(const PGresult* row);
[[nodiscard]] StoredSchema read_schema(const PGresult* rows);
[[nodiscard]] std::vector<Keyspace> read_keyspaces(const PGresult* rows);
[[nodiscard]] std::vector<SealedBatch> read_batches(const PGresult* rows);

/// Totals of actors that the origin no longer has: nobody reads them, and they are deleted a step
/// at a time. Starts again from the first key with a new leader.
class FormerCounters {
 public:
  void start(bool gone);
  /// Queues a step, within the open transaction; false when there is nothing to do.
  bool queue(Pipeline& pipeline);
  /// The step was committed, and this was its result.
  void swept(const PGresult* result);

 private:
  bool gone_ = true;
  bool at_end_ = false;
  std::string key_;
  std::string field_;
};

}  // namespace tributary::postgres

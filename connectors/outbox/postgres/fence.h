/// What the origin's row must still say when a relay writes: see OutboxStore, "fenced".
#pragma once

#include <cstdint>
#include <optional>

#include <tributary/base/ids.h>

#include "connectors/outbox/postgres/params.h"
#include "connectors/outbox/postgres/pipeline.h"

namespace tributary::postgres {

/// As lead(), mint() or the last seal left it.
struct Fence {
  std::uint64_t epoch = 0;
  std::optional<ActorId> actor;
  Seq head;

  [[nodiscard]] Params params() const {
    Params params;
    params.add(epoch);
    if (actor) params.add(actor->value);
    else params.add_null();
    params.add(head.value);
    return params;
  }
};

/// Queues BEGIN and the check; the origin's row stays locked until the transaction ends.
void queue_fenced_begin(Pipeline& pipeline, const Fence& fence);
/// Queues COMMIT and flushes; after an error the transaction is rolled back, or the connection
/// closed. The results in the order of the queue, with those of BEGIN and COMMIT.
[[nodiscard]] Result<std::vector<ResultHandle>> commit_queued(Pipeline& pipeline);

}  // namespace tributary::postgres

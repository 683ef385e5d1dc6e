#include "connectors/outbox/postgres/fence.h"

#include "connectors/outbox/postgres/statements.h"

namespace tributary::postgres {

void queue_fenced_begin(Pipeline& pipeline, const Fence& fence) {
  pipeline.queue(statements::kBegin);
  pipeline.queue(statements::kFence, fence.params());
}

Result<std::vector<ResultHandle>> commit_queued(Pipeline& pipeline) {
  pipeline.queue(statements::kCommit);
  auto done = pipeline.flush();
  if (!done && !pipeline.dead()) {
    pipeline.queue(statements::kRollback);
    if (!pipeline.flush()) pipeline.close();
  }
  return done;
}

}  // namespace tributary::postgres

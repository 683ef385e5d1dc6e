#include "connectors/outbox/postgres/context_sweep.h"

#include <libpq-fe.h>

#include "connectors/outbox/postgres/cells.h"
#include "connectors/outbox/postgres/statements.h"

namespace tributary::postgres {
namespace {

/// A step looks at many more than were told since the one before.
constexpr int kToldBetween = 32;
constexpr std::size_t kRoom = std::size_t{64} << 20;
constexpr Micros kSeldom = std::chrono::minutes(1);

}  // namespace

bool ContextSweep::room(std::size_t bytes, Micros now) {
  if (told_bytes_ + bytes > kRoom && now - told_at_ < kSeldom) return false;
  told_bytes_ += bytes;
  told_at_ = now;
  return true;
}

bool ContextSweep::queue(Pipeline& pipeline) {
  if (++told_ < kToldBetween) return false;
  told_ = 0;
  if (mark_) {
    pipeline.queue(statements::kSweepContexts,
                   Params().add(after_).add(mark_->number).add(mark_->open));
  } else {
    pipeline.queue(statements::kSweepMark);
  }
  return true;
}

void ContextSweep::swept(const PGresult* result) {
  if (!mark_) {
    if (PQntuples(result) > 0) {
      mark_ = {bigint_at(result, 0, 0), bigint_at(result, 0, 1)};
    }
    after_ = kFirst;
  } else if (bool_at(result, 0, 1)) {
    told_bytes_ = 0;
    if (null_at(result, 0, 0)) mark_.reset();
    else after_ = bigint_at(result, 0, 0);
  }
}

}  // namespace tributary::postgres

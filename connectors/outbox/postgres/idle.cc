#include "connectors/outbox/postgres/idle.h"

#include <algorithm>
#include <utility>

#include <libpq-fe.h>

#include "base/log.h"
#include "connectors/outbox/postgres/cells.h"
#include "connectors/outbox/postgres/statements.h"

namespace tributary::postgres {

Micros PollPause::after(Micros took) {
  constexpr Micros kSlow{20'000};
  constexpr Micros kLongest{900'000};
  recent_[next_++ % recent_.size()] = took;
  const Micros usual = *std::ranges::min_element(recent_);
  return usual < kSlow ? Micros{0} : std::min(9 * usual, kLongest);
}

bool HolderNews::found(const SnapshotHolder& holder, Micros now) {
  const bool again = !holder.who.empty() && std::exchange(seen_, holder) == holder;
  const bool wait = again || holder.who.empty();
  next_ = now + (wait ? Micros(std::chrono::minutes(1)) : Micros(std::chrono::seconds(1)));
  return again && std::exchange(told_, holder.who) != holder.who;
}

Result<bool> IdlePolling::nothing_to_do(const Fence& fence) {
  if (!idle_) return false;
  const SystemClock clock;
  const Micros start = clock.monotonic();
  if (start < not_before_) return true;
  pipeline_.queue(statements::kIdle, fence.params());
  TRIBUTARY_ASSIGN(const auto results, pipeline_.flush());
  const PGresult* const row = results[0].get();
  const Micros end = clock.monotonic();
  const Micros pause = pause_.after(end - start);
  not_before_ = end + pause;
  if (pause > Micros{0} && news_.due(end)) warn(end);
  return PQntuples(row) > 0 && !bool_at(row, 0, 0) && bool_at(row, 0, 1);
}

void IdlePolling::warn(Micros now) {
  pipeline_.queue(statements::kSnapshotHolder);
  const auto results = pipeline_.flush();
  SnapshotHolder holder;
  if (results && PQntuples((*results)[0].get()) > 0) {
    const PGresult* const row = (*results)[0].get();
    holder = {text_at(row, 0, 0), text_at(row, 0, 1)};
  }
  if (!news_.found(holder, now)) return;
  log::warn(
      "asking the outbox is slow, since rows long deleted cannot be cleaned up: end whatever "
      "holds an old snapshot in this database",
      {{"holder", holder.who}});
}

}  // namespace tributary::postgres

/// Deletes contexts that no row names any more, nor will: see tributary_told_context.
///
/// A writer names the context it read, and commits later, perhaps much later. So a context goes
/// only
///   1. when 512 newer ones have been told. A writer gets its transaction's number before it looks
///      for the newest; and where its snapshot is older than that, it takes the bytes instead of
///      the id of one with more than 255 behind it. So at that moment, at which the mark is noted,
///      every transaction that names one of them, open or committed, has a number below the next;
///   2. when none of these is open any more, so that all their rows can be seen;
///   3. when no row, waiting or parked, names it.
/// While a transaction stays open, none goes. So that they do not fill the database, no more than
/// 64 MiB of them are told then, and one a minute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/clock.h"
#include "connectors/outbox/postgres/pipeline.h"

namespace tributary::postgres {

/// Not thread-safe.
class ContextSweep {
 public:
  /// Starts again, with a new leader.
  void start() { *this = {}; }
  /// Whether another one may be told now. A step is due all the same: it makes room.
  [[nodiscard]] bool room(std::size_t bytes, Micros now);
  /// After every context, told or not, within the fenced transaction: queues a step when it is
  /// time for one; false: none.
  bool queue(Pipeline& pipeline);
  /// The step was committed, and this was its result.
  void swept(const PGresult* result);

 private:
  struct Mark {
    std::int64_t number = 0;  ///< the last context that may go
    std::int64_t open = 0;    ///< transactions that name one of them come before this one
  };
  static constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();

  int told_ = 0;                ///< since the last step
  std::size_t told_bytes_ = 0;  ///< since the last step that could look
  Micros told_at_{0};
  std::optional<Mark> mark_;
  std::int64_t after_ = kFirst;
};

}  // namespace tributary::postgres

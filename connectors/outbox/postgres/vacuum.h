/// Clears the dead rows that a queue leaves at the low end of its index, and that every take would
/// have to step over, sooner than autovacuum would. On a connection of its own, without waiting.
///
/// Why not start takes from an id instead: a transaction with low ids may commit late, and a later
/// write to the same key must not be sealed before it.
#pragma once

#include <cstddef>
#include <string>

#include "connectors/outbox/postgres/session.h"

namespace tributary::postgres {

/// Not thread-safe. Failing costs speed only, so it is silent.
class Vacuum {
 public:
  explicit Vacuum(std::string url) : url_(std::move(url)) {}

  /// Rows were deleted; `calm`: there is no backlog. Starts a vacuum when it is worth it.
  void deleted(std::size_t rows, bool calm);

 private:
  /// Reads what has arrived; true while a vacuum is running.
  bool running();

  std::string url_;
  ConnectionHandle connection_;
  std::size_t dead_rows_ = 0;
  bool sent_ = false;
};

}  // namespace tributary::postgres

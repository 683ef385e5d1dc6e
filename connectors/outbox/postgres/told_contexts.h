/// The contexts that rows name by id, each read once: see tributary_told_context in tables.sql.
/// Not for: when one is deleted (context_sweep.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

#include "connectors/outbox/postgres/pipeline.h"
#include "outbox/batch/rows.h"

namespace tributary::postgres {

/// A row, by its place, and the id of its context.
struct NamedContext {
  std::size_t row = 0;
  std::int64_t id = 0;
};

/// An id never names other bytes, so what was read once stays true. Not thread-safe.
class ToldContexts {
 public:
  /// This one was told to writers under `id`.
  void told(std::int64_t id, std::string bytes);

  /// Forgets what is beyond its bound; views that were given end.
  void trim();
  /// Gives the rows their contexts, within the open transaction. A row whose context is not there
  /// is odd. The views live until trim().
  Result<void> fill(Pipeline& pipeline, std::span<const NamedContext> named,
                    std::span<OutboxRow> rows);

 private:
  Result<void> read(Pipeline& pipeline, std::span<const NamedContext> named);

  std::unordered_map<std::int64_t, std::string> known_;
  std::size_t bytes_ = 0;  ///< in known_
};

}  // namespace tributary::postgres

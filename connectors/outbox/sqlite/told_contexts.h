/// The contexts that rows name by id, each once: see tributary_told_context in tables.sql. Not
/// for: what a writer of now has seen (told.h).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <tributary/base/result.h>

#include "connectors/outbox/sqlite/fence.h"

namespace tributary::sqlite {

/// Within a write transaction, before tributary_context is changed: stores the context under an id
/// of its own, unless it is the one that writers have now.
[[nodiscard]] Result<std::optional<std::int64_t>> store_context(const Fence& fence,
                                                                std::string_view bytes);
/// nullopt: there is none.
[[nodiscard]] Result<std::optional<std::string>> read_context(const Fence& fence, std::int64_t id);

/// Deletes those that no row names, but for the one that writers have now. There is one writer at a
/// time, so while the relay writes, nobody has read a context that he has yet to name.
/// Not thread-safe.
class ContextSweep {
 public:
  /// Within a write transaction, after every context that was told: a step, when it is time for it.
  Result<void> step(const Fence& fence);

 private:
  static constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();

  int told_ = 0;  ///< since the last step
  std::int64_t after_ = kFirst;
};

}  // namespace tributary::sqlite

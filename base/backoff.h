/// Exponential back-off with full jitter, so that many clients of one failed server do not return
/// at once (Brooker, "Exponential Backoff and Jitter", 2015).
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace tributary {

/// Not thread-safe; one per retrying loop.
class Backoff {
 public:
  /// Waits grow from `first` to `longest`; `seed` makes the jitter repeatable.
  Backoff(Millis first, Millis longest, std::uint64_t seed);

  /// The next wait: uniform in [ceiling / 2, ceiling], the ceiling doubling at each call.
  [[nodiscard]] Millis next();
  /// Call after a success.
  void reset();

 private:
  Millis first_;
  Millis longest_;
  Millis ceiling_;
  std::uint64_t state_;
};

}  // namespace tributary

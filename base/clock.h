/// Time as the loops see it, so that the simulation can run them under a virtual clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace tributary {

using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;

/// Thread rule: implementations may be called from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time since the Unix epoch. May jump.
  [[nodiscard]] virtual Micros wall() const = 0;
  /// Time since some fixed point. Never goes back; for deadlines and intervals.
  [[nodiscard]] virtual Micros monotonic() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Micros wall() const override;
  [[nodiscard]] Micros monotonic() const override;
};

}  // namespace tributary

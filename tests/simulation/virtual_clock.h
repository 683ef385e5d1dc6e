/// Clocks that stand still until they are told to move.
#pragma once

#include "base/clock.h"

namespace tributary::simulation {

/// The time of the world.
class VirtualClock final : public Clock {
 public:
  [[nodiscard]] Micros wall() const override { return kStart + now_; }
  [[nodiscard]] Micros monotonic() const override { return kUptime + now_; }
  void advance(Micros by) { now_ += by; }
  [[nodiscard]] Micros passed() const { return now_; }

 private:
  static constexpr Micros kStart{1'700'000'000'000'000};
  static constexpr Micros kUptime = std::chrono::hours(1000);  // machines ran before we came
  Micros now_{0};
};

/// One machine's clocks: its wall clock is off by a skew, which may jump.
class NodeClock final : public Clock {
 public:
  explicit NodeClock(const VirtualClock& time) : time_(time) {}
  [[nodiscard]] Micros wall() const override { return time_.wall() + skew_; }
  [[nodiscard]] Micros monotonic() const override { return time_.monotonic(); }
  void set_skew(Micros skew) { skew_ = skew; }
  [[nodiscard]] Micros skew() const { return skew_; }

 private:
  const VirtualClock& time_;
  Micros skew_{0};
};

}  // namespace tributary::simulation

/// A clock that stands still until it is told to move.
#pragma once

#include <tributary/base/clock.h>

namespace tributary::simulation {

class VirtualClock final : public Clock {
 public:
  [[nodiscard]] Micros wall() const override { return kStart + now_; }
  [[nodiscard]] Micros monotonic() const override { return now_; }
  void advance(Micros by) { now_ += by; }

 private:
  static constexpr Micros kStart{1'700'000'000'000'000};
  Micros now_{0};
};

}  // namespace tributary::simulation

/// A clock that moves only when a test moves it.
#pragma once

#include "base/clock.h"

namespace tributary {

class StandingClock final : public Clock {
 public:
  [[nodiscard]] Micros wall() const override { return Micros{1'700'000'000'000'000} + now; }
  [[nodiscard]] Micros monotonic() const override { return now; }

  Micros now{1};
};

}  // namespace tributary

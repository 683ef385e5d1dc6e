#include "base/backoff.h"

#include <algorithm>

namespace tributary {

Backoff::Backoff(Millis first, Millis longest, std::uint64_t seed)
    : first_(first), longest_(longest), ceiling_(first), state_(seed) {}

Millis Backoff::next() {
  // splitmix64: one multiply-shift round per draw is plenty for jitter.
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t draw = state_;
  draw = (draw ^ (draw >> 30)) * 0xbf58476d1ce4e5b9U;
  draw = (draw ^ (draw >> 27)) * 0x94d049bb133111ebU;
  const auto half = static_cast<std::uint64_t>(ceiling_.count() / 2);
  const Millis wait{static_cast<Millis::rep>(half + (draw >> 11) % (half + 1))};
  ceiling_ = std::min(ceiling_ * 2, longest_);
  return wait;
}

void Backoff::reset() { ceiling_ = first_; }

}  // namespace tributary

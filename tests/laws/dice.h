/// Choices from one seed: small, fast and the same on every machine (SplitMix64; Steele, Lea,
/// Flood, 2014). One step of a plan is one seed, so that dropping a step leaves the others as they
/// were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tributary::laws {

/// Not thread-safe.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
  }
  /// Uniform in [0, count); 0 when count is 0.
  std::size_t below(std::size_t count) { return count == 0 ? 0 : next() % count; }
  /// Uniform in [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::size_t>(high - low + 1)));
  }
  bool percent(unsigned chance) { return below(100) < chance; }
  template <typename T>
  const T& pick(std::span<const T> choices) {
    return choices[below(choices.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace tributary::laws

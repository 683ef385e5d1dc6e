/// All that is random in a world, from its seed.
#pragma once

#include <cstdint>
#include <random>

namespace tributary::simulation {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  [[nodiscard]] std::uint64_t bits() { return random_(); }
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  [[nodiscard]] bool chance(double probability) {
    return static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability;
  }

 private:
  std::mt19937_64 random_;
};

}  // namespace tributary::simulation

/// Hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014) in one uint64:
/// 52 bits of microseconds since the Unix epoch, then 12 bits of logical counter.
/// Not for: reading a clock. The wall time is an argument.
#pragma once

#include <compare>
#include <cstdint>

namespace tributary {

struct Hlc {
  static constexpr int kLogicalBits = 12;

  std::uint64_t value = 0;

  auto operator<=>(const Hlc&) const = default;

  /// The latest there is, for a clock beyond it (the year 2112).
  [[nodiscard]] static constexpr Hlc from_micros(std::uint64_t micros) {
    constexpr std::uint64_t kMost = ~std::uint64_t{0} >> kLogicalBits;
    return Hlc{(micros < kMost ? micros : kMost) << kLogicalBits};
  }
  [[nodiscard]] constexpr std::uint64_t micros() const { return value >> kLogicalBits; }
};

/// The year 2100. Whatever lies beyond is no time but damage or forgery: a clock that was raised to
/// it could never be beaten again.
inline constexpr Hlc kMaxHlc = Hlc::from_micros(4'102'444'800'000'000);

/// The timestamp of a change at sealing: its own, clamped to `latest`, but always above `previous`,
/// the timestamp of the actor's change before it. `latest` is the relay's wall time plus the
/// permitted skew. A carry out of the logical bits moves the microseconds on, which keeps order.
[[nodiscard]] constexpr Hlc seal_hlc(Hlc written, Hlc previous, Hlc latest) {
  const Hlc clamped = written < latest ? written : latest;
  return clamped > previous ? clamped : Hlc{previous.value + 1};
}

}  // namespace tributary

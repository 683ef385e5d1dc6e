/// How far a reader lets the broker read ahead.
#include "connectors/changelog/rabbitmq/prefetch_fit.h"

#include <doctest/doctest.h>

namespace tributary::conformance {

namespace {

using rabbitmq::PrefetchFit;

constexpr std::size_t kBytes = 16 << 20;
constexpr std::uint16_t kMost = 200;

/// The prefetch after `count` messages of `size`, attaching again as often as it says.
std::uint16_t after(std::uint16_t prefetch, std::size_t size, int count, int* changes = nullptr) {
  PrefetchFit fit(prefetch, kMost, kBytes);
  for (int i = 0; i < count; ++i) {
    const auto better = fit.received(size);
    if (!better) continue;
    if (changes != nullptr) ++*changes;
    fit = PrefetchFit(*better, kMost, kBytes);
  }
  return fit.prefetch();
}

}  // namespace

TEST_CASE("a reader of small messages soon lets the broker send many ahead, of large ones few") {
  const std::uint16_t first = PrefetchFit::first(kMost);
  CHECK(after(first, 100, 1000) == kMost);
  CHECK(after(first, 64 << 10, 1000) == kMost);
  for (const std::size_t mebibytes : {1, 4, 8}) {
    const std::size_t size = mebibytes << 20;
    CHECK(after(first, size, 1000) * size <= 4 * kBytes);
    CHECK(after(kMost, size, 1) * size <= 4 * kBytes);  // at the first large message
  }
}

TEST_CASE("messages of one size make a reader attach again once at most") {
  for (const std::size_t size : {0, 1, 100'000, 1'000'000, 8'000'000, 100'000'000}) {
    int changes = 0;
    after(PrefetchFit::first(kMost), size, 10'000, &changes);
    CHECK(changes <= 1);
  }
}

TEST_CASE("a prefetch of one stays one") {
  PrefetchFit fit(PrefetchFit::first(1), 1, kBytes);
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(fit.received(i % 2 == 0 ? 10 : 8 << 20).has_value());
}

}  // namespace tributary::conformance

#include "base/backoff.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

namespace tributary {
namespace {

TEST_CASE("waits lie in the upper half of a ceiling that doubles up to the longest") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Backoff backoff(Millis{50}, Millis{300}, seed);
    for (const int ceiling : {50, 100, 200, 300, 300, 300}) {
      const Millis wait = backoff.next();
      CHECK(wait >= Millis{ceiling / 2});
      CHECK(wait <= Millis{ceiling});
    }
  }
}

TEST_CASE("a success starts again at the first wait") {
  Backoff backoff(Millis{10}, Millis{10'000}, 1);
  for (int i = 0; i < 10; ++i) static_cast<void>(backoff.next());
  backoff.reset();
  CHECK(backoff.next() <= Millis{10});
}

TEST_CASE("different seeds wait differently, the same seed the same") {
  std::set<Millis> first_waits;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Backoff one(Millis{1000}, Millis{1000}, seed);
    Backoff same(Millis{1000}, Millis{1000}, seed);
    const Millis wait = one.next();
    CHECK(wait == same.next());
    first_waits.insert(wait);
  }
  CHECK(first_waits.size() > 25);
}

TEST_CASE("the wait never overflows, however often it fails") {
  Backoff backoff(Millis{50}, Millis{5000}, 7);
  Millis longest{0};
  for (int i = 0; i < 10'000; ++i) longest = std::max(longest, backoff.next());
  CHECK(longest <= Millis{5000});
  CHECK(longest > Millis{4900});
}

}  // namespace
}  // namespace tributary

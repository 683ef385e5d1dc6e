/// The truth table of the counter.
#include <limits>

#include <doctest/doctest.h>

#include "tests/unit/crdt/types/one_key.h"

namespace tributary::one_key {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

Said add(std::int64_t amount) { return {.operation = "add", .amount = amount}; }

struct Scene {
  Writer alice{"counter", 1};
  Writer bob{"counter", 2};
  Replica here{"counter"};
};

TEST_CASE_FIXTURE(Scene, "a counter that nobody touched does not exist") {
  CHECK(here.shows() == "(nothing)");
}

TEST_CASE_FIXTURE(Scene, "a counter is the sum of all actors' adds") {
  CHECK(here.receives(alice.writes(add(5))).shows() == "5");
  CHECK(here.receives(bob.writes(add(-7))).shows() == "-2");
  CHECK(here.receives(alice.writes({add(1), add(1)})).shows() == "0");
}

TEST_CASE_FIXTURE(Scene, "an add of zero makes the counter exist") {
  CHECK(here.receives(alice.writes(add(0))).shows() == "0");
}

TEST_CASE_FIXTURE(Scene, "a delta that arrives twice, or after a newer one, changes nothing") {
  const Sent first = alice.writes(add(5));
  const Sent second = alice.writes(add(-2));
  here.receives(first).receives(second).receives(second).receives(first);
  CHECK(here.shows() == "3");
}

TEST_CASE_FIXTURE(Scene, "the sum is exact beyond 64 bits, in both directions") {
  here.receives(alice.writes(add(kMax))).receives(bob.writes(add(kMax)));
  CHECK(here.shows() == "18446744073709551614");
  Replica below("counter");
  Writer carol("counter", 3);
  Writer dave("counter", 4);
  below.receives(carol.writes(add(-kMax))).receives(dave.writes(add(-kMax)));
  CHECK(below.shows() == "-18446744073709551614");
}

TEST_CASE_FIXTURE(Scene, "merging states counts every actor once") {
  const Sent shared = alice.writes(add(5));
  Replica there("counter");
  there.receives(shared).receives(bob.writes(add(2)));
  here.receives(shared).receives(alice.writes(add(1)));
  CHECK(Replica(here).merges(there).shows() == "8");
  CHECK(there.merges(here).shows() == "8");
}

TEST_CASE("totals above the largest int64 are poison") {
  const crdt::Type& counter = *crdt::find_type("counter");
  const std::string too_many = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
  const auto touched = counter.touched(too_many + std::string(1, '\0'), {});
  REQUIRE_FALSE(touched.has_value());
  CHECK(touched.error().kind == ErrorKind::kPoison);
}

}  // namespace
}  // namespace tributary::one_key

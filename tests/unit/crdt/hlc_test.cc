#include <doctest/doctest.h>

#include <tributary/crdt/hlc.h>

namespace tributary {
namespace {

constexpr Hlc at(std::uint64_t micros, std::uint64_t logical = 0) {
  return Hlc{Hlc::from_micros(micros).value + logical};
}

TEST_CASE("microseconds survive the logical bits") {
  CHECK(Hlc::from_micros(1'700'000'000'000'000).micros() == 1'700'000'000'000'000);
  CHECK(at(5, 4095).micros() == 5);
  CHECK(at(5, 4096) == at(6));
}

TEST_CASE("a timestamp of its own time is kept") {
  CHECK(seal_hlc(at(10), at(9), at(100)) == at(10));
}

TEST_CASE("a timestamp not above the one before it follows it closely") {
  CHECK(seal_hlc(at(10), at(10), at(100)) == at(10, 1));
  CHECK(seal_hlc(at(3), at(10), at(100)) == at(10, 1));
}

TEST_CASE("a timestamp too far ahead is clamped to the latest") {
  CHECK(seal_hlc(at(500), at(10), at(100)) == at(100));
}

TEST_CASE("the order of an actor's changes outweighs the clamp") {
  CHECK(seal_hlc(at(500), at(100), at(100)) == at(100, 1));
  CHECK(seal_hlc(at(500), at(200), at(100)) == at(200, 1));
}

TEST_CASE("any run of changes grows, through a carry out of the logical bits too") {
  Hlc previous = at(10);
  for (int i = 0; i < 10'000; ++i) {
    const Hlc next = seal_hlc(at(static_cast<std::uint64_t>(i % 13)), previous, at(12));
    REQUIRE(next > previous);
    previous = next;
  }
  CHECK(previous.micros() == 14);  // 10,000 changes carry twice out of 4096 at 12
}

}  // namespace
}  // namespace tributary

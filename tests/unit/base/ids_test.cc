#include <doctest/doctest.h>

#include <tributary/base/ids.h>

namespace tributary {
namespace {

TEST_CASE("an actor id prints as sixteen lower-case hex digits, and back") {
  CHECK(ActorId{0}.hex() == "0000000000000000");
  CHECK(ActorId{0xfedcba9876543210U}.hex() == "fedcba9876543210");
  for (const ActorId actor : {ActorId{0}, ActorId{1}, ActorId{0xfedcba9876543210U}}) {
    CHECK(ActorId::from_hex(actor.hex()) == actor);
  }
}

TEST_CASE("what is not exactly sixteen hex digits is no actor id") {
  for (const char* text :
       {"", "1", "fedcba987654321", "fedcba98765432100", "fedcba987654321g", "-edcba9876543210",
        " edcba9876543210", "0x00000000000001", "FEDCBA9876543210"}) {
    INFO(text);
    CHECK_FALSE(ActorId::from_hex(text));
  }
}

TEST_CASE("an actor tells for which origin it was made") {
  int by_chance = 0;
  for (std::uint64_t bits = 0; bits < 1000; ++bits) {
    const ActorId actor = ActorId::make(OriginName{"shop"}, bits * 0x9e3779b97f4a7c15U);
    CHECK(actor.made_for(OriginName{"shop"}));
    for (const char* other : {"till", "shop2", "sho", "", "pohs"}) {
      by_chance += actor.made_for(OriginName{other}) ? 1 : 0;
    }
  }
  CHECK(by_chance == 0);
  CHECK(ActorId::make(OriginName{"shop"}, 1) != ActorId::make(OriginName{"shop"}, 2));
}

TEST_CASE("dots are ordered by actor, then seq") {
  CHECK(Dot{{1}, {9}} < Dot{{2}, {1}});
  CHECK(Dot{{2}, {1}} < Dot{{2}, {2}});
  CHECK(Seq{1}.next() == Seq{2});
}

}  // namespace
}  // namespace tributary

/// What a replica holds beside states: see types_test.cc for these.
#include <doctest/doctest.h>

#include "connectors/replica/redis/layout.h"
#include "tests/golden/golden.h"

namespace tributary::golden {
namespace {

constexpr ActorId kActor{0x1122334455667788U};

TEST_CASE("a parked record is these bytes") {
  ParkedEntry parked;
  parked.id = "not part of it";
  parked.origin = OriginName{"shop-eu"};
  parked.actor = kActor;
  parked.first_seq = Seq{298};
  parked.last_seq = Seq{300};
  parked.key = "buyers:\xff";
  parked.reason = "why";
  parked.bytes = "message";
  parked.parked_at = Micros{1'764'000'000'000'000};
  check("parked_record.txt",
        {redis::kParkedFormat, "kParkedFormat in connectors/replica/redis/layout.h"},
        hex(redis::encode(parked)));
}

TEST_CASE("what blocks a key is these bytes") {
  KeyBlock block;
  block.before = {{kActor, Seq{297}}, {ActorId{2}, Seq{}}};
  block.bodies = 3;
  block.incomplete = true;
  block.reason = "why";
  block.retries = 1;
  check("key_block.txt", {redis::kBlockFormat, "kBlockFormat in connectors/replica/redis/layout.h"},
        hex(redis::encode(block, "0123456789abcdef")));
}

}  // namespace
}  // namespace tributary::golden

/// What a writer had seen of a key with parked changes is a matter of when he wrote.
#include <doctest/doctest.h>

#include "tests/unit/relay/shop.h"

using namespace tributary;

namespace {

constexpr ActorId kOther{7};
constexpr std::string_view kCart = "cart:1";

/// The region has applied six changes of another origin. `parked`: those to the cart behind the
/// second are set aside.
ReplicaContext region(bool parked) {
  ReplicaContext context;
  context.watermark.raise(kOther, Seq{6});
  context.hlc = Hlc{1};
  if (parked) context.lowered.emplace(kCart, LoweredSeqs{{kOther, Seq{2}}});
  return context;
}

/// What the only remove in the changelog has seen of the other origin.
std::uint64_t seen(const memory::MemoryBroker& broker) {
  for (const ChangelogMessage& message : broker.messages(Shop::kName)) {
    const auto batch = decode_batch(message.bytes);
    if (!batch->contexts.empty()) return batch->contexts.front().get(kOther).value;
  }
  return 0;
}

/// What the remove has seen, when the key's changes are parked or mended before it is sealed.
std::uint64_t seen(bool parked_at_write, bool parked_at_seal) {
  Shop shop;
  shop.context = region(!parked_at_write);
  shop.start();
  shop.steps(5);
  shop.context = region(parked_at_write);
  shop.steps(5);
  shop.stop();
  shop.write(set::remove(std::string(kCart), "lamp"));
  shop.context = region(parked_at_seal);
  shop.start();
  shop.steps(5);
  return seen(shop.broker);
}

}  // namespace

TEST_CASE("a remove takes away nothing that was parked when it was written, mended or not") {
  CHECK(seen(true, true) == 2);
  CHECK(seen(true, false) == 2);
}

TEST_CASE("a remove takes away what was seen, whatever is parked until it is sealed") {
  CHECK(seen(false, false) == 6);
  CHECK(seen(false, true) == 6);
}

/// What a writer had seen of a key while changes to it were parked in its region.
#include <doctest/doctest.h>

#include <tributary/tests/unit/relay/shop.h>

using namespace tributary;

namespace {

constexpr ActorId kOther{7};

/// Of kOther's changes, by the last batch in the log.
Seq seen_by_last(const Shop& shop) {
  Seq seen{~std::uint64_t{0}};
  for (const ChangelogMessage& message : shop.broker.messages(Shop::kName)) {
    const auto batch = decode_batch(message.bytes);
    REQUIRE(batch);
    if (batch->heartbeat()) continue;
    seen = batch->contexts.empty() ? Seq{} : batch->contexts.at(0).get(kOther);
  }
  return seen;
}

}  // namespace

TEST_CASE("what was parked when it was written is not removed, whatever is blocked at the seal") {
  Shop shop;
  VersionVector watermark;
  watermark.raise(kOther, Seq{5});
  shop.context = ReplicaContext{
      .watermark = watermark, .hlc = {}, .lowered = {{"cart:1", {{kOther, Seq{4}}}}}};
  shop.start();
  shop.steps(5);
  bool restarted = true;
  SUBCASE("the relay was stopped, and the key mended") {
    shop.stop();
    shop.write(set::remove("cart:1", "parked"));
    shop.context->lowered.clear();
  }
  SUBCASE("too many keys are blocked now") {
    shop.stop();
    shop.write(set::remove("cart:1", "parked"));
    shop.context->lowered.clear();
    shop.context->watermark.raise(kOther, Seq{9});
  }
  SUBCASE("mended under the relay") {
    shop.write(set::remove("cart:1", "parked"));
    shop.context->lowered.clear();
    restarted = false;
  }
  if (restarted) shop.start();
  shop.steps(10);
  CHECK(seen_by_last(shop) == Seq{4});
}

TEST_CASE("while one key is blocked, writers of others have seen all that their region has") {
  Shop shop;
  VersionVector watermark;
  watermark.raise(kOther, Seq{5});
  shop.context = ReplicaContext{
      .watermark = watermark, .hlc = {}, .lowered = {{"cart:1", {{kOther, Seq{4}}}}}};
  shop.start();
  shop.steps(5);
  shop.write(set::remove("cart:2", "seen"));
  shop.steps(5);
  CHECK(seen_by_last(shop) == Seq{5});
}

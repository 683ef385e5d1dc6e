#include "outbox/batch/writer_context.h"

#include <string>

#include <doctest/doctest.h>

namespace tributary {
namespace {

constexpr ActorId kShop{8};
constexpr ActorId kTill{9};

VersionVector watermark() {
  VersionVector some;
  some.raise(kShop, Seq{400});
  some.raise(kTill, Seq{4});
  return some;
}

WriterContext sample() {
  return {watermark(), {{"buyers:1", {{kShop, Seq{2}}, {kTill, Seq{}}}}, {"cart:2", {}}}};
}

TEST_CASE("a writer has seen less of a key that has changes parked") {
  CHECK(sample().of("buyers:2") == watermark());
  CHECK(sample().of("cart:2") == watermark());
  CHECK(sample().of("buyers:1").get(kShop) == Seq{2});
  CHECK(sample().of("buyers:1").get(kTill) == Seq{});
  CHECK(sample().least() == sample().of("buyers:1"));
  CHECK(WriterContext(watermark()).least() == watermark());
}

TEST_CASE("a writer's context is read back as it was stored") {
  CHECK(WriterContext::from_bytes(sample().bytes()) == sample());
}

TEST_CASE("a watermark alone is stored as it encodes itself") {
  CHECK(WriterContext(watermark()).bytes() == watermark().bytes());
  CHECK(WriterContext::from_bytes(watermark().bytes()) == WriterContext(watermark()));
}

TEST_CASE("bytes that are no context of a writer are not taken for one") {
  const std::string good = sample().bytes();
  for (std::size_t size = 0; size < good.size(); ++size) {
    if (size == watermark().bytes().size()) continue;  // a watermark alone
    CHECK_FALSE(WriterContext::from_bytes(good.substr(0, size)));
  }
  CHECK_FALSE(WriterContext::from_bytes(good + '\0'));
  CHECK_FALSE(WriterContext::from_bytes(watermark().bytes() + '\0'));
  CHECK_FALSE(WriterContext::from_bytes(watermark().bytes() + std::string("\2\1k\0\1k\0", 7)));
  CHECK_FALSE(WriterContext::from_bytes(watermark().bytes() + "\xff\xff\xff\xff\x0f"));
}

TEST_CASE("with too many parked keys the watermark is lowered for all of them") {
  WriterContext::Lowered lowered;
  for (int key = 0; key < 300; ++key) lowered["k" + std::to_string(key)] = {{kTill, Seq{3}}};
  CHECK(WriterContext(watermark(), lowered).lowered().size() == 300);
  for (int key = 300; key < 2000; ++key) lowered["k" + std::to_string(key)] = {{kTill, Seq{3}}};
  lowered["k1"] = {{kTill, Seq{2}}};
  const WriterContext many(watermark(), lowered);
  CHECK(many.lowered().empty());
  CHECK(many.of("another").get(kTill) == Seq{2});
  CHECK(many.of("another").get(kShop) == Seq{400});
  CHECK(WriterContext::from_bytes(many.bytes()) == many);
}

}  // namespace
}  // namespace tributary

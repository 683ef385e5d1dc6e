/// What writers are told to have seen while keys are blocked, and what the seal makes of it.
#include <tributary/tests/unit/outbox/sealing_origin.h>

namespace tributary {
namespace {

using namespace sealing_tests;

constexpr ActorId kOther{8};
constexpr ActorId kThird{9};

/// The region has read 4 changes of kOther, of which those behind 2 are parked for buyers:1.
struct Told : Origin {
  std::string tell() {
    rules.known.join(region);
    rules.tellings = &tellings;
    return tellings.tell(region, blocked, kFresh.actor, Seq{++numbers}).bytes();
  }
  Seq seen(const std::string& key, const std::string& context) {
    OutboxRow row = element("remove", "x", context);
    row.key = key;
    const Batch sealed = batch({row});
    for (const auto& [actor, seq] : sealed.contexts.at(0)) CHECK(actor != Tellings::kNumber);
    return sealed.contexts.at(0).get(kOther);
  }

  Told() {
    region.raise(kOther, Seq{4});
    region.raise(kThird, Seq{7});
  }

  VersionVector region;
  LoweredKeys blocked = {{"buyers:1", {{kOther, Seq{2}}}}};
  Tellings tellings;
  std::uint64_t numbers = 40;
};

TEST_CASE_FIXTURE(Told, "what was parked when a writer wrote was not seen, whenever it is sealed") {
  const std::string then = tell();
  SUBCASE("the key is still blocked") { rules.lowered = blocked; }
  SUBCASE("it was mended before the seal") {}
  CHECK(seen("buyers:1", then) == Seq{2});
  CHECK(seen("buyers:2", then) == Seq{4});
}

TEST_CASE_FIXTURE(Told, "what a relay does not remember removes too little, never too much") {
  const std::string then = tell();
  Tellings others;
  rules.tellings = &others;
  CHECK(seen("buyers:1", then) == Seq{2});
  CHECK(seen("buyers:2", then) == Seq{2});
  rules.tellings = nullptr;
  CHECK(seen("buyers:2", then) == Seq{2});
}

TEST_CASE_FIXTURE(Told, "every telling is remembered as it was") {
  const std::string first = tell();
  region.raise(kOther, Seq{6});
  const std::string second = tell();
  blocked["buyers:3"] = {{kThird, Seq{}}};
  const std::string third = tell();
  blocked.clear();
  const std::string whole = tell();
  CHECK(whole == region.bytes());
  CHECK(seen("buyers:2", first) == Seq{4});
  CHECK(seen("buyers:2", second) == Seq{6});
  CHECK(seen("buyers:3", second) == Seq{6});
  CHECK(seen("buyers:1", third) == Seq{2});
  CHECK(seen("buyers:1", whole) == Seq{6});
}

TEST_CASE_FIXTURE(Told,
                  "news of the own actor make no telling, and those remembered have a bound") {
  const std::string first = tell();
  region.raise(kFresh.actor, Seq{3});
  tell();
  CHECK(tellings.size() == 1);
  for (std::uint64_t seq = 5; seq < 5000; ++seq) {
    region.raise(kOther, Seq{seq});
    tell();
  }
  CHECK(tellings.size() <= 1000);
  CHECK(seen("buyers:2", first) == Seq{2});
  CHECK(seen("buyers:2", tell()) == Seq{4999});
}

}  // namespace
}  // namespace tributary

/// Whose consumer writes to a replica.
#include <thread>

#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {

REPLICA_TEST("a replica is claimed for one region at a time") {
  Subject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  const auto other = subject.open();
  CHECK(need(store->claimed_by()) == std::nullopt);
  need(store->claim({"eu"}, Millis{60'000}));
  need(other->claim({"eu"}, Millis{60'000}));
  const auto refused = other->claim({"us"}, Millis{60'000});
  REQUIRE(!refused);
  CHECK(refused.error().kind == ErrorKind::kFatal);
  CHECK(refused.error().message.find("consumer of region \"eu\"") != std::string::npos);
  CHECK(need(other->claimed_by()) == RegionName{"eu"});
  subject.flush();
  need(other->claim({"us"}, Millis{60'000}));
  CHECK(!store->claim({"eu"}, Millis{60'000}));
}

TEST_CASE("a claim ends after its time, and every further one prolongs it") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  need(store->claim({"eu"}, Millis{1}));
  while (need(store->claimed_by())) std::this_thread::sleep_for(Millis{1});
  need(store->claim({"us"}, Millis{5000}));
  need(store->claim({"us"}, Millis{60'000}));
  CHECK(redis::integer(*need(subject.other().call({"PTTL", "tributary:consumer"}))) > 5000);
}

TEST_CASE("what never ends is nobody's claim") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  need(subject.other().call({"SET", "tributary:consumer", "another program's"}));
  need(store->claim({"eu"}, Millis{60'000}));
  CHECK(need(store->claimed_by()) == RegionName{"eu"});
  CHECK(!store->claim({"us"}, Millis{60'000}));
}

}  // namespace tributary::replica_tests

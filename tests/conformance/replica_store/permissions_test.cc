/// A Redis user whose ACL names key patterns: keys outside of them are set aside, the rest goes on.
#include <initializer_list>
#include <string>
#include <vector>

#include "connectors/replica/redis/replica_store.h"
#include "consumer/retry.h"
#include "tests/conformance/replica_store/subjects.h"
#include "tests/unit/consumer/region_under_test.h"

namespace tributary::replica_tests {
namespace {

const Schema kSchema{{{"stock:*", "counter"}, {"cart:*", "set"}}, {}};

/// The user of the replica, who may touch keys of these patterns.
class PatternUser {
 public:
  PatternUser(RedisSubject& subject, std::initializer_list<std::string_view> patterns)
      : other_(subject.other()), endpoint_(subject.endpoint()) {
    endpoint_.username = "tributary_test";
    endpoint_.password = "word";
    may_touch(patterns);
  }
  ~PatternUser() { static_cast<void>(other_.call({"ACL", "DELUSER", "tributary_test"})); }
  PatternUser(const PatternUser&) = delete;
  PatternUser& operator=(const PatternUser&) = delete;

  void may_touch(std::initializer_list<std::string_view> patterns) {
    need(other_.call({"ACL", "SETUSER", "tributary_test", "resetkeys", "on", ">word", "+@all"}));
    for (const std::string_view pattern : patterns) {
      need(other_.call({"ACL", "SETUSER", "tributary_test", "~" + std::string(pattern)}));
    }
  }
  [[nodiscard]] Result<std::unique_ptr<ReplicaStore>> open() const {
    return redis::open_replica_store(endpoint_);
  }

 private:
  redis::Connection& other_;
  redis::Endpoint endpoint_;
};

std::vector<std::string> blocked_keys(ReplicaStore& store) {
  std::vector<std::string> keys;
  for (const auto& [key, block] : need(store.blocked({}, 10'000))) keys.push_back(key);
  return keys;
}

/// Sells of stock and puts something into a cart, one batch each, from `seq` on.
void write_both(RegionUnderTest& region, std::uint64_t seq) {
  region.publish(counter_batch(kShop, kShopActor, seq, "stock:1", static_cast<std::int64_t>(seq)));
  region.publish(set_batch(kShop, kShopActor, seq + 1, "cart:1", "add", std::to_string(seq + 1)));
}

}  // namespace

TEST_CASE("a key outside of the user's patterns is set aside, and the rest goes on") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  PatternUser user(subject, {"tributary:*", "stock:*"});
  RegionUnderTest region({.schema = kSchema}, [&] { return user.open(); });
  write_both(region, 1);
  region.run(Millis{500});
  write_both(region, 3);
  region.run(Millis{500});
  const auto store = subject.open();
  CHECK(region.watermark(kShopActor) == 4);
  CHECK(values_of(*store, "stock:1") == "string =3");
  CHECK(values_of(*store, "cart:1") == "nothing");
  const auto blocked = need(store->blocked({}, 10));
  REQUIRE(blocked.size() == 1);
  CHECK(blocked.front().first == "cart:1");
  CHECK(blocked.front().second.bodies == 2);
  CHECK_MESSAGE(blocked.front().second.reason.find("grant ~cart:*") != std::string::npos,
                blocked.front().second.reason);

  const auto as_user = need(user.open());
  const RetryReport still = need(retry_all(*as_user, kSchema));
  CHECK(still.blocked == 1);
  CHECK(still.told.at(0).reason.find("grant ~cart:*") != std::string::npos);
  user.may_touch({"tributary:*", "stock:*", "cart:*"});
  CHECK(need(retry_all(*as_user, kSchema)).unblocked == 1);
  CHECK(values_of(*store, "cart:1") == "set 2= 4=");
  write_both(region, 5);
  region.run(Millis{500});
  CHECK(values_of(*store, "cart:1") == "set 2= 4= 6=");
  CHECK(need(store->parked_count()) == 0);
}

TEST_CASE("so is one that the user may not touch any more, before anything is written to it") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  PatternUser user(subject, {"*"});
  RegionUnderTest region({.schema = kSchema}, [&] { return user.open(); });
  write_both(region, 1);
  region.run(Millis{500});
  user.may_touch({"tributary:*", "stock:*"});
  region.run(Millis{1000});
  const auto store = subject.open();
  CHECK(blocked_keys(*store) == std::vector<std::string>{"cart:1"});
  write_both(region, 3);
  region.run(Millis{500});
  CHECK(values_of(*store, "stock:1") == "string =3");
  CHECK(values_of(*store, "cart:1") == "set 2=");
  user.may_touch({"*"});
  CHECK(need(retry_all(*store, kSchema)).unblocked == 1);
  CHECK(values_of(*store, "cart:1") == "set 2= 4=");
}

TEST_CASE("so is one of which the user may not touch the state") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  PatternUser user(subject, {"tributary:[a-z]*", "tributary:{probe}", "tributary:{stock:*", "*:1"});
  RegionUnderTest region({.schema = kSchema}, [&] { return user.open(); });
  write_both(region, 1);
  region.run(Millis{1000});
  const auto store = subject.open();
  CHECK(region.watermark(kShopActor) == 2);
  CHECK(values_of(*store, "stock:1") == "string =1");
  CHECK(blocked_keys(*store) == std::vector<std::string>{"cart:1"});
  const auto as_user = need(user.open());
  CHECK(need(retry_all(*as_user, kSchema)).blocked == 1);
  user.may_touch({"*"});
  CHECK(need(retry_all(*as_user, kSchema)).unblocked == 1);
  CHECK(values_of(*store, "cart:1") == "set 2=");
}

TEST_CASE("thousands of such keys in one commit are found at once") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  PatternUser user(subject, {"tributary:*", "stock:*"});
  RegionUnderTest region({.schema = kSchema}, [&] { return user.open(); });
  constexpr std::uint64_t kKeys = 2500;
  Batch batch = counter_batch(kShop, kShopActor, 1, "stock:1", 1);
  for (std::uint64_t i = 0; i < kKeys; ++i) {
    const Batch one = set_batch(kShop, kShopActor, 1, "cart:" + std::to_string(i), "add", "a");
    batch.deltas.push_back(one.deltas.front());
  }
  region.publish(batch);
  region.run(Millis{500});
  const auto store = subject.open();
  CHECK(region.watermark(kShopActor) == 1);
  CHECK(values_of(*store, "stock:1") == "string =1");
  CHECK(blocked_keys(*store).size() == kKeys);
  CHECK(region.counter("tributary_consumer_conflicts_total") == 1);
}

TEST_CASE("a user who may not touch the replica's own keys is refused at the start") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  for (const auto& patterns : {std::vector<std::string_view>{"stock:*"},
                               std::vector<std::string_view>{"stock:*", "tributary:probe"}}) {
    PatternUser user(subject, {});
    for (const std::string_view pattern : patterns) {
      need(subject.other().call({"ACL", "SETUSER", "tributary_test", "~" + std::string(pattern)}));
    }
    const auto store = user.open();
    REQUIRE(!store);
    CHECK(store.error().kind == ErrorKind::kFatal);
    CHECK_MESSAGE(store.error().message.find("grant ~tributary:*") != std::string::npos,
                  store.error().message);
  }
}

}  // namespace tributary::replica_tests

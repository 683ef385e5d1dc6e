/// What another program drops of the indexes by which Redis finds what is set aside.
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {

TEST_CASE("a walk that begins finds what is set aside though its indexes were dropped") {
  for (const std::string gone :
       {"tributary:parked:ids", "tributary:parked:keys", "tributary:parked",
        "tributary:blocked:keys", "tributary:blocked"}) {
    CAPTURE(gone);
    RedisSubject subject;
    REQUIRE_SUBJECT(subject);
    const auto store = subject.open();
    Draft draft;
    for (int i = 0; i < 500; ++i) {
      const std::string key = "k" + std::to_string(i);
      KeyBlock block;
      block.bodies = 1;
      draft.block(key, "", block);
      ParkedEntry parked;
      parked.id = parked_id(OriginName{"shop"}, ActorId{1}, Seq{1}, key);
      parked.key = key;
      draft.parked.push_back(parked);
    }
    need(draft.commit(*store));
    need(subject.other().call({"DEL", gone}));
    for (int i = 0; i < 2; ++i) need(store->walk("", 10));
    const std::size_t parked = gone == "tributary:parked" ? 0 : 1;
    CHECK(need(store->parked("", 1000)).size() == 500 * parked);
    CHECK(need(store->parked_for("k1", 10)).size() == parked);
    const auto blocked = need(store->blocked("", 1000));
    REQUIRE(blocked.size() == 500);
    CHECK(blocked.front().second.incomplete == (gone == "tributary:blocked"));
    CHECK(redis::integer(*need(subject.other().call({"ZCARD", "tributary:parked:keys"}))) ==
          static_cast<long long>(500 * parked));
  }
}

}  // namespace tributary::replica_tests

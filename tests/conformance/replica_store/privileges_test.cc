/// Commands that the user of a Redis may not run, and commits that stopped because of that.
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "connectors/replica/redis/replica_store.h"
#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

/// The commands that docs/operations.md grants, but for those it can do without.
std::vector<std::string> documented_commands() {
  std::ifstream file(TRIBUTARY_SOURCE_DIR "/docs/operations.md");
  const std::string all((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string first = "ACL SETUSER tributary on >PASSWORD ~* -@all ";
  const std::size_t begin = all.find(first);
  REQUIRE(begin != std::string::npos);
  std::istringstream words(
      all.substr(begin + first.size(), all.find("```", begin) - begin - first.size()));
  std::vector<std::string> commands;
  for (std::string word; words >> word;) {
    REQUIRE(word.starts_with('+'));
    if (word != "+info" && word != "+rename" && word != "+pttl") commands.push_back(word.substr(1));
  }
  REQUIRE(commands.size() > 20);
  return commands;
}

redis::Endpoint restricted(RedisSubject& subject, std::string_view without = {}) {
  need(subject.other().call(
      {"ACL", "SETUSER", "tributary_test", "reset", "on", ">word", "~*", "-@all"}));
  for (const std::string& command : documented_commands()) {
    if (command == without) continue;
    need(subject.other().call({"ACL", "SETUSER", "tributary_test", "+" + command}));
  }
  redis::Endpoint endpoint = subject.endpoint();
  endpoint.username = "tributary_test";
  endpoint.password = "word";
  return endpoint;
}

/// Uses every call, and every command of each.
void use_all(ReplicaStore& store) {
  Draft draft;
  draft.key("string", ViewKind::kString, "", {{"s", "1"}}, {put("", "1")}).deferring = true;
  draft.key("set", ViewKind::kSet, "", {{"s", "1"}, {"t", "1"}}, {put("a"), remove("a"), put("b")});
  draft.key("hash", ViewKind::kHash, "", {{"s", "1"}}, {put("a"), remove("a"), put("b", "1")});
  draft.key("zset", ViewKind::kSortedSet, "", {{"s", "1"}},
            {put("a", "1"), remove("a"), put("b", "1")});
  draft.key("list", ViewKind::kList, "", {{"s", "1"}}, {clear(), put("", "1")});
  draft.token = "";
  draft.parked.emplace_back().id = "p";
  KeyBlock why;
  why.before = {{ActorId{1}, Seq{0}}};
  why.incomplete = true;
  draft.block("blocked", "", why);
  draft.hlc = Hlc{1};
  draft.actors = {{ActorId{1}, {OriginName{"shop"}, std::nullopt}}};
  need(draft.advance(ActorId{1}, 0, 1).commit(store));
  Draft next;
  next.unparked = {"p"};
  next.discarded = {"p"};
  next.regained = {"q"};
  next.finished = {"nobody"};
  const KeyLoad load{"blocked", {true, {}}};
  next.block("blocked", need(store.load({&load, 1})).front().block.mark, std::nullopt);
  next.key("set", ViewKind::kSet, version_of(store, "set"), {{"t", std::nullopt}}, {clear()});
  need(next.commit(store));
  for (const std::string_view key : {"string", "hash", "zset", "list"}) need(store.read(key));
  need(store.claim({"eu"}, Millis{1}));
  need(store.claimed_by());
  need(store.progress());
  need(store.context());
  need(store.parked("", 1));
  need(store.parked_for("k", 1));
  need(store.parked_count());
  need(store.discarded());
  need(store.blocked("", 1));
  need(store.deferring_keys(1));
  need(store.walk("", 1));
  need(store.view("set", 1));
  const std::pair<std::string_view, ViewKind> asked{"set", ViewKind::kSet};
  need(store.changed_views({&asked, 1}));
}

}  // namespace

TEST_CASE("a user with no more than the documented privileges can do everything") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = need(redis::open_replica_store(restricted(subject)));
  use_all(*store);
  const auto warnings = need(store->warnings());
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("+info") != std::string::npos);
  need(subject.other().call({"ACL", "SETUSER", "tributary_test", "+info"}));
  CHECK(need(store->warnings()).empty());
  need(subject.other().call({"ACL", "DELUSER", "tributary_test"}));
}

TEST_CASE(
    "every command that is missing is named when the store is opened, and nothing is written") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  for (const std::string& command : documented_commands()) {
    CAPTURE(command);
    const auto store = redis::open_replica_store(restricted(subject, command));
    REQUIRE(!store);
    CHECK(store.error().kind == ErrorKind::kFatal);
    const bool named = store.error().message.find(" +" + command) != std::string::npos ||
                       store.error().message.find("'" + command + "'") != std::string::npos;
    CHECK_MESSAGE(named, store.error().message);
    if (command == "unlink") need(subject.other().call({"DEL", "tributary:probe"}));
    CHECK(redis::integer(*need(subject.other().call({"DBSIZE"}))) == 0);
  }
  need(subject.other().call({"ACL", "DELUSER", "tributary_test"}));
}

TEST_CASE("a commit that stopped half-way is noticed, told, and made once more") {
  for (const std::string_view command : {"srem", "hset", "unlink", "mset"}) {
    RedisSubject subject;
    REQUIRE_SUBJECT(subject);
    CAPTURE(command);
    auto store = need(redis::open_replica_store(restricted(subject)));
    Draft first;
    first.token = "";
    first.key("set", ViewKind::kSet, "", {{"s", "1"}}, {put("a"), put("b")});
    const std::string token = need(first.commit(*store));
    need(subject.other().call({"ACL", "SETUSER", "tributary_test", "-" + std::string(command)}));
    const auto again = [&](const std::string& expected) {
      Draft draft;
      draft.token = expected;
      auto& key = draft.key("set", ViewKind::kSet, version_of(*store, "set"), {{"s", "2"}},
                            {clear(), put("b"), put("c"), remove("c")});
      key.whole = true;
      draft.key("string", ViewKind::kString, version_of(*store, "string"), {{"s", "2"}},
                {put("", "2")});
      draft.finished = need(store->progress()).unfinished;
      return draft.advance(ActorId{1}, 0, 1).commit(*store);
    };
    const auto stopped = again(token);
    REQUIRE(!stopped);
    CHECK(stopped.error().kind == ErrorKind::kFatal);
    store = subject.open();  // as somebody who may do everything
    const ReplicaProgress progress = need(store->progress());
    CHECK(progress.token != token);
    CHECK(progress.watermark.empty());
    CHECK(progress.unfinished == std::vector<std::string>{"set", "string"});
    const auto unaware = again(token);
    REQUIRE(!unaware);
    CHECK(unaware.error().kind == ErrorKind::kConflict);
    need(again(progress.token));
    CHECK(values_of(*store, "set") == "set b=");
    CHECK(values_of(*store, "string") == "string =2");
    CHECK(need(store->progress()).unfinished.empty());
    need(subject.other().call({"ACL", "DELUSER", "tributary_test"}));
  }
}

TEST_CASE("a server that evicts, or only copies another one, is warned of") {
  RedisSubject subject;
  REQUIRE_SUBJECT(subject);
  const auto store = subject.open();
  CHECK(need(store->warnings()).empty());
  need(subject.other().call({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}));
  auto warnings = need(store->warnings());
  need(subject.other().call({"CONFIG", "SET", "maxmemory-policy", "noeviction"}));
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("allkeys-lru") != std::string::npos);
  need(subject.other().call({"REPLICAOF", "127.0.0.1", "1"}));
  warnings = need(store->warnings());
  need(subject.other().call({"REPLICAOF", "NO", "ONE"}));
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].find("master") != std::string::npos);
}

}  // namespace tributary::replica_tests

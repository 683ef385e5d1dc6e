/// The truth table of the register: the last writer by (hlc, actor, seq).
#include <doctest/doctest.h>

#include "tests/unit/crdt/types/one_key.h"

namespace tributary::one_key {
namespace {

Said set(std::string_view value, std::uint64_t at) {
  return {.operation = "set", .value = value, .at = at};
}

Said clear(std::uint64_t at) { return {.operation = "clear", .at = at}; }

struct Scene {
  Writer alice{"register", 1};
  Writer bob{"register", 2};
  Replica here{"register"};
  Replica there{"register"};
};

TEST_CASE_FIXTURE(Scene, "a register shows what was set last") {
  CHECK(here.shows() == "(nothing)");
  CHECK(here.receives(alice.writes(set("red", 10))).shows() == "red");
  CHECK(here.receives(bob.writes(set("blue", 20))).shows() == "blue");
}

TEST_CASE_FIXTURE(Scene, "the later write wins in either order of arrival") {
  const Sent early = alice.writes(set("early", 10));
  const Sent late = bob.writes(set("late", 11));
  CHECK(here.receives(early).receives(late).shows() == "late");
  CHECK(there.receives(late).receives(early).shows() == "late");
}

TEST_CASE_FIXTURE(Scene, "at the same instant the larger actor wins, whatever its seq") {
  const Sent many = alice.writes({set("one", 8), set("two", 9), set("three", 10)});
  const Sent single = bob.writes(set("bob's", 10));
  CHECK(here.receives(many).receives(single).shows() == "bob's");
  CHECK(there.receives(single).receives(many).shows() == "bob's");
}

TEST_CASE_FIXTURE(Scene, "of changes in one batch the last one counts") {
  CHECK(here.receives(alice.writes({set("a", 1), clear(2), set("c", 3)})).shows() == "c");
  CHECK(here.receives(alice.writes({set("d", 4), clear(5)})).shows() == "(nothing)");
}

TEST_CASE_FIXTURE(Scene, "a clear is a write: it beats earlier writes and loses to later ones") {
  const Sent before = alice.writes(set("before", 10));
  const Sent cleared = bob.writes(clear(11));
  const Sent after = alice.writes(set("after", 12));
  CHECK(here.receives(cleared).receives(before).shows() == "(nothing)");
  CHECK(here.receives(after).shows() == "after");
  CHECK(there.receives(after).receives(cleared).shows() == "after");
}

TEST_CASE_FIXTURE(Scene, "merging states keeps the winner, and a winning clear stays clear") {
  here.receives(alice.writes(set("red", 10)));
  there.receives(bob.writes(clear(11)));
  CHECK(Replica(here).merges(there).shows() == "(nothing)");
  CHECK(there.merges(here).shows() == "(nothing)");
}

TEST_CASE("a register's delta with a seq or a time from outside its batch is poison") {
  const crdt::Type& type = *crdt::find_type("register");
  Writer alice("register", 1);
  alice.writes(set("first", 10));
  const Sent sent = alice.writes(set("second", 20));
  CHECK(type.touched(sent.body, {Seq{2}, Seq{2}, Hlc{20}, 0}).has_value());
  CHECK(type.touched(sent.body, {Seq{1}, Seq{3}, Hlc{21}, 0}).has_value());
  CHECK_FALSE(type.touched(sent.body, {Seq{3}, Seq{4}, Hlc{20}, 0}).has_value());
  CHECK_FALSE(type.touched(sent.body, {Seq{1}, Seq{1}, Hlc{20}, 0}).has_value());
  CHECK_FALSE(type.touched(sent.body, {Seq{2}, Seq{2}, Hlc{19}, 0}).has_value());
}

}  // namespace
}  // namespace tributary::one_key

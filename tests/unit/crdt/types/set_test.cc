/// The truth table of the set: add wins, and a remove takes away what its writer had seen.
#include <doctest/doctest.h>

#include "tests/unit/crdt/types/one_key.h"

namespace tributary::one_key {
namespace {

struct Scene {
  Writer alice{"set", 1};
  Writer bob{"set", 2};
  Replica here{"set"};
  Replica there{"set"};
};

TEST_CASE_FIXTURE(Scene, "an added element is in the set") {
  CHECK(here.shows() == "(nothing)");
  CHECK(here.receives(alice.writes({"add", "x"})).shows() == "x");
  CHECK(here.receives(bob.writes({"add", "y"})).shows() == "x y");
}

TEST_CASE_FIXTURE(Scene, "a remove of an element its writer has seen takes it away") {
  here.receives(alice.writes({"add", "x"}));
  CHECK(here.receives(bob.writes({"remove", "x", here.seen()})).shows() == "(nothing)");
}

TEST_CASE_FIXTURE(Scene, "a writer has always seen its own adds") {
  here.receives(alice.writes({"add", "x"}));
  CHECK(here.receives(alice.writes({"remove", "x"})).shows() == "(nothing)");
}

TEST_CASE_FIXTURE(Scene, "an add wins over a concurrent remove, in either order") {
  const Sent first = alice.writes({"add", "x"});
  here.receives(first);
  there.receives(first);
  const Sent again = alice.writes({"add", "x"});
  const Sent removed = bob.writes({"remove", "x", there.seen()});
  CHECK(here.receives(again).receives(removed).shows() == "x");
  CHECK(there.receives(removed).receives(again).shows() == "x");
}

TEST_CASE_FIXTURE(Scene, "an older remove loses to a newer add") {
  const Sent added = alice.writes({"add", "x"});
  const Sent removed = alice.writes({"remove", "x"});
  const Sent added_again = alice.writes({"add", "x"});
  here.receives(added).receives(removed).receives(added_again);
  CHECK(here.shows() == "x");
  CHECK(here.receives(removed).shows() == "x");
}

TEST_CASE_FIXTURE(Scene, "a late add that the remover had already seen does not come back") {
  const Sent added = alice.writes({"add", "x"});
  there.receives(added);
  const Sent removed = bob.writes({"remove", "x", there.seen()});
  here.receives(removed);
  CHECK(here.deferring());
  CHECK(here.receives(added).shows() == "(nothing)");
  CHECK_FALSE(here.prunes().deferring());
}

TEST_CASE_FIXTURE(Scene, "a deferred remove spares a later add of the same actor") {
  const Sent added = alice.writes({"add", "x"});
  there.receives(added);
  here.receives(bob.writes({"remove", "x", there.seen()}));
  CHECK(here.receives(added).receives(alice.writes({"add", "x"})).shows() == "x");
}

TEST_CASE_FIXTURE(Scene, "a context that is too old removes less, never more") {
  const Sent first = alice.writes({"add", "x"});
  here.receives(first);
  const VersionVector old = here.seen();
  here.receives(alice.writes({"add", "x"})).receives(alice.writes({"add", "y"}));
  CHECK(here.receives(bob.writes({"remove", "x", old})).shows() == "x y");
  CHECK(here.receives(bob.writes({"remove", "y"})).shows() == "x y");
}

TEST_CASE_FIXTURE(Scene, "a remove names one element and leaves the others") {
  here.receives(alice.writes({{"add", "x"}, {"add", "y"}}));
  CHECK(here.receives(bob.writes({"remove", "x", here.seen()})).shows() == "y");
}

TEST_CASE_FIXTURE(Scene, "an element stays as long as one of its adds was not seen") {
  const Sent from_alice = alice.writes({"add", "x"});
  const Sent from_bob = bob.writes({"add", "x"});
  Writer carol("set", 3);
  there.receives(from_alice);
  const Sent removed = carol.writes({"remove", "x", there.seen()});
  CHECK(here.receives(from_alice).receives(from_bob).receives(removed).shows() == "x");
}

TEST_CASE_FIXTURE(Scene,
                  "a clear empties what its writer had seen, and a concurrent add survives") {
  const Sent first = alice.writes({{"add", "x"}, {"add", "y"}});
  there.receives(first);
  const Sent cleared = bob.writes({"clear", "", there.seen()});
  const Sent concurrent = alice.writes({"add", "z"});
  CHECK(here.receives(first).receives(concurrent).receives(cleared).shows() == "z");
  CHECK(there.receives(cleared).shows() == "(nothing)");
  CHECK(there.receives(concurrent).shows() == "z");
}

TEST_CASE_FIXTURE(Scene, "a clear holds for late adds of elements it never met") {
  const Sent added = alice.writes({"add", "x"});
  there.receives(added);
  here.receives(bob.writes({"clear", "", there.seen()}));
  CHECK(here.deferring());
  CHECK(here.receives(added).shows() == "(nothing)");
}

TEST_CASE_FIXTURE(Scene, "changes joined into one batch keep their order") {
  CHECK(here.receives(alice.writes({{"add", "x"}, {"remove", "x"}})).shows() == "(nothing)");
  CHECK(here.receives(alice.writes({{"remove", "x"}, {"add", "x"}})).shows() == "x");
  CHECK(here.receives(alice.writes({{"add", "y"}, {"clear"}, {"add", "z"}})).shows() == "z");
}

TEST_CASE_FIXTURE(Scene,
                  "merging states keeps adds the other has not seen, drops what it removed") {
  const Sent first = alice.writes({{"add", "x"}, {"add", "y"}});
  here.receives(first);
  there.receives(first).receives(bob.writes({"remove", "x", there.seen()}));
  here.receives(alice.writes({"add", "z"}));
  CHECK(Replica(here).merges(there).shows() == "y z");
  CHECK(there.merges(here).shows() == "y z");
}

TEST_CASE_FIXTURE(Scene, "merging states hands a deferred remove over") {
  const Sent added = alice.writes({"add", "x"});
  there.receives(added);
  Replica third("set");
  third.receives(bob.writes({"remove", "x", there.seen()}));
  CHECK(here.merges(third).deferring());
  CHECK(here.receives(added).shows() == "(nothing)");
}

TEST_CASE_FIXTURE(Scene, "a remove with an exact context spares newer adds of its own writer") {
  here.receives(alice.writes({"add", "x"})).receives(alice.writes({"add", "x"}));
  Said exact{"remove", "x"};
  exact.own = Seq{1};
  CHECK(here.receives(alice.writes(exact)).shows() == "x");
  Said cleared{"clear"};
  cleared.own = Seq{1};
  CHECK(here.receives(alice.writes(cleared)).shows() == "x");
  exact.own = Seq{2};
  CHECK(here.receives(alice.writes(exact)).shows() == "(nothing)");
}

TEST_CASE("a set's delta with seqs from outside its batch is poison") {
  const crdt::Type& set = *crdt::find_type("set");
  Writer alice("set", 1);
  alice.writes({{"add", "a"}, {"add", "b"}, {"add", "c"}});
  const Sent sent = alice.writes({{"add", "x"}, {"remove", "y"}, {"clear"}});  // 4..6
  const auto fits = [&](std::uint64_t first, std::uint64_t last) {
    return set.touched(sent.body, {Seq{first}, Seq{last}, Hlc{}, sent.contexts.size()}).has_value();
  };
  CHECK(fits(4, 6));
  CHECK(fits(1, 9));
  CHECK_FALSE(fits(5, 6));  // the add
  CHECK_FALSE(fits(4, 5));  // what the clear has seen
  CHECK_FALSE(fits(1, 3));
}

TEST_CASE("a clear that leaves nothing is one edit of the view, however much was in the set") {
  std::vector<Said> adds;
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back(std::to_string(i));
  for (const std::string& name : names) adds.push_back({"add", name});
  Writer alice("set", 1);
  Replica here("set");
  here.receives(alice.writes_all(adds));
  CHECK(here.edits().size() == 1000);
  here.receives(alice.writes({{"clear"}, {"add", "new"}}));
  REQUIRE(here.edits().size() == 2);
  CHECK(crdt::drops(here.edits()[0]));
  CHECK(std::get<crdt::AddMember>(here.edits()[1]).member == "new");
  CHECK(here.shows() == "new");
}

}  // namespace
}  // namespace tributary::one_key

#include "config/keyspace_changes.h"

#include <doctest/doctest.h>

namespace tributary::config {
namespace {

using Keyspaces = std::vector<Keyspace>;

const Keyspaces kShop{{"cart:vip:*", "register"}, {"cart:*", "set"}, {"stock:*", "counter"}};

Keyspaces with(Keyspaces keyspaces, const Keyspace& last) {
  keyspaces.push_back(last);
  return keyspaces;
}

TEST_CASE("what only adds keyspaces or takes some away changes no type") {
  CHECK_FALSE(may_change_types(kShop, kShop, kShop));
  CHECK_FALSE(may_change_types({}, {}, kShop));
  CHECK_FALSE(may_change_types(kShop, kShop, with(kShop, {"wish:*", "set"})));
  CHECK_FALSE(may_change_types(kShop, kShop, with(kShop, {"*", "set"})));
  CHECK_FALSE(may_change_types(kShop, kShop, {kShop[0], kShop[1]}));
  CHECK_FALSE(may_change_types(kShop, kShop, {kShop[2], kShop[0], kShop[1]}));
}

TEST_CASE("another type for keys that a keyspace takes may change theirs") {
  CHECK(may_change_types(kShop, kShop, {kShop[0], kShop[1], {"stock:*", "set"}}));
  CHECK(may_change_types(kShop, kShop, {{"stock:1?", "set"}, kShop[0], kShop[1], kShop[2]}));
  CHECK(may_change_types(kShop, kShop, {kShop[1], kShop[2]}));
  CHECK(may_change_types(kShop, kShop, {{"*:9", "register"}, kShop[0], kShop[1], kShop[2]}));
}

TEST_CASE("so may a keyspace that was taken away and comes again with another type") {
  const Keyspaces without{kShop[0], kShop[1]};
  CHECK(may_change_types(without, kShop, with(without, {"stock:*", "set"})));
  CHECK(may_change_types(without, kShop, with(without, {"st*", "register"})));
  CHECK_FALSE(may_change_types(without, kShop, kShop));
  CHECK_FALSE(may_change_types(without, kShop, with(without, {"wish:*", "set"})));
  // A change of type of before, of which nothing is left to do.
  const Keyspaces changed{{"stock:*", "set"}};
  const Keyspaces ever{{"stock:*", "counter"}, {"stock:*", "set"}};
  CHECK_FALSE(may_change_types(changed, ever, changed));
  CHECK_FALSE(may_change_types(changed, ever, with(changed, {"wish:*", "set"})));
}

}  // namespace
}  // namespace tributary::config

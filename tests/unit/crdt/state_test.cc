#include <algorithm>
#include <map>

#include <doctest/doctest.h>

#include <tributary/crdt/state.h>

namespace tributary::crdt {
namespace {

State loaded_state() {
  State state;
  state.load("m", "clock");
  state.load("eb", std::nullopt);
  state.load("ea", "dots");
  state.settle();
  return state;
}

TEST_CASE("fields are found in whatever order they were loaded") {
  const State state = loaded_state();
  REQUIRE(state.find("m") != nullptr);
  CHECK(*state.find("m") == "clock");
  CHECK(*state.find("ea") == "dots");
  CHECK(state.fields().front().name == "ea");
}

TEST_CASE("a field loaded as absent has no value; one not loaded is not known") {
  const State state = loaded_state();
  CHECK(state.loaded("eb"));
  CHECK(state.find("eb") == nullptr);
  CHECK_FALSE(state.loaded("ec"));
}

TEST_CASE("in a complete state every absent field is empty") {
  State state = loaded_state();
  state.set_complete();
  CHECK(state.loaded("ec"));
  CHECK(state.find("ec") == nullptr);
  state.set("ec", "new");
  CHECK(*state.find("ec") == "new");
}

TEST_CASE("a field loaded twice counts once") {
  State state;
  state.load("m", "first");
  state.load("m", "second");
  state.settle();
  CHECK(state.fields().size() == 1);
  CHECK(*state.find("m") == "first");
}

// What moves at every insert takes quadratic time.
TEST_CASE("adding to a complete state moves nothing that is there") {
  State state;
  for (int i = 0; i < 1000; ++i) state.load("e" + std::to_string(2 * i), "dots");
  state.settle();
  state.set_complete();
  std::map<std::string, const std::string*> places;
  const auto look = [&](int number) {
    const std::string name = "e" + std::to_string(number);
    places[name] = state.find(name);
  };
  for (int i = 0; i < 1000; ++i) look(2 * i);
  for (int i = 999; i >= 0; --i) {
    state.set("e" + std::to_string(2 * i + 1), "new");
    look(2 * i + 1);
  }
  const auto moved = [&] {
    return std::ranges::count_if(
        places, [&](const auto& place) { return state.find(place.first) != place.second; });
  };
  CHECK(moved() == 0);
  CHECK(state.fields().size() == 2000);
  CHECK(std::ranges::is_sorted(state.fields(), {}, &State::Field::name));
}

TEST_CASE("only what really changed is marked so") {
  State state = loaded_state();
  state.set("m", "clock");
  state.erase("eb");
  for (const State::Field& field : state.fields()) CHECK_FALSE(field.changed);

  state.set("m", "later");
  state.set("eb", "dots");
  state.erase("ea");
  for (const State::Field& field : state.fields()) CHECK(field.changed);
  CHECK(state.find("ea") == nullptr);

  state.mark_unchanged();
  for (const State::Field& field : state.fields()) CHECK_FALSE(field.changed);
  CHECK(*state.find("m") == "later");
}

}  // namespace
}  // namespace tributary::crdt

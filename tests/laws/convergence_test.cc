/// Laws of replicas: what they hold follows from their watermarks alone, and is what the
/// specification says.
#include <sstream>

#include <doctest/doctest.h>

#include "tests/laws/law.h"
#include "tests/laws/spec.h"
#include "tests/laws/world.h"

namespace tributary::laws {
namespace {

void require_converged(const World& world) {
  const auto& replicas = world.replicas();
  for (auto a = replicas.begin(); a != replicas.end(); ++a) {
    for (auto b = replicas.begin(); b != a; ++b) {
      if (a->watermark != b->watermark || !a->exact() || !b->exact()) continue;
      require_equal(world.type(), *a, *b, a->watermark, "two replicas with equal watermarks");
    }
  }
}

void equal_watermarks_equal_replicas(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.after_step = [&] { require_converged(world); };
  world.run();
  world.finish();
}

void require_specified(const World& world, Spec spec) {
  for (const Replica& replica : world.replicas()) {
    if (!replica.exact()) continue;
    for (std::size_t key = 0; key < kKeys; ++key) {
      const View expected = spec(world.visible(key, replica.watermark));
      if (replica.keys[key].view == expected) continue;
      std::ostringstream what;
      what << "key " << key << " of replica " << &replica - world.replicas().data() << " shows"
           << replica.keys[key].view << ", the specification says" << expected;
      throw Broken(what.str());
    }
  }
}

void value_is_as_specified(const crdt::Type& type, const Plan& plan, Story story) {
  const Spec spec = find_spec(type.name);
  require(spec != nullptr,
          "the type has no specification: write tests/laws/spec/" + std::string(type.name) + ".cc");
  World world(type, plan, story);
  world.after_step = [&] { require_specified(world, spec); };
  world.run();
  world.finish();
}

TEST_CASE("replicas with equal watermarks have equal states and views") {
  check_law("equal watermarks, equal replicas", equal_watermarks_equal_replicas);
}

TEST_CASE("the value is what the type's specification says, at every step") {
  check_law("the value is as specified", value_is_as_specified);
}

}  // namespace
}  // namespace tributary::laws

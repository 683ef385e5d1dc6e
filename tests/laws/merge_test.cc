/// Laws of state merge: a semilattice join, and the same join as that of deltas.
#include <doctest/doctest.h>

#include "tests/laws/law.h"
#include "tests/laws/world.h"

namespace tributary::laws {
namespace {

Replica merged(const crdt::Type& type, Replica mine, const Replica& theirs) {
  merge(type, mine, theirs);
  return mine;
}

void require_same_bytes(const Replica& a, const Replica& b, std::string_view otherwise) {
  for (std::size_t key = 0; key < kKeys; ++key) {
    require(fields_of(a.keys[key].state) == fields_of(b.keys[key].state), otherwise);
    require(a.keys[key].view == b.keys[key].view, otherwise);
  }
}

/// Replicas of one walk, at the end or at a snapshot: mostly different, now and then the same.
struct Three {
  Three(const crdt::Type& type, const Plan& plan, Story story) : world(type, plan, story) {
    world.run();
    Dice dice(plan.setup);
    a = world.any_replica(dice);
    b = world.any_replica(dice);
    c = world.any_replica(dice);
  }
  World world;
  Replica a;
  Replica b;
  Replica c;
};

void commutative(const crdt::Type& type, const Plan& plan, Story story) {
  const Three of(type, plan, story);
  require_same_bytes(merged(type, of.a, of.b), merged(type, of.b, of.a),
                     "a merged with b differs from b merged with a");
}

void associative(const crdt::Type& type, const Plan& plan, Story story) {
  const Three of(type, plan, story);
  require_same_bytes(merged(type, merged(type, of.a, of.b), of.c),
                     merged(type, of.a, merged(type, of.b, of.c)),
                     "(a merged with b) merged with c differs from a merged with (b with c)");
}

void idempotent(const crdt::Type& type, const Plan& plan, Story story) {
  const Three of(type, plan, story);
  const Replica with_itself = merged(type, of.a, of.a);
  require_equal(type, with_itself, of.a, of.a.watermark, "a merged with itself, and a");
  const Replica once = merged(type, of.a, of.b);
  require_same_bytes(merged(type, once, of.b), once, "merging b a second time changes something");
  require_same_bytes(merged(type, once, of.a), once,
                     "merging back what was merged changes something");
}

/// The replica after the batches that the other has and it lacks.
Replica caught_up(const World& world, Replica replica, const VersionVector& target) {
  for (const Author& author : world.authors()) {
    while (replica.watermark.get(author.actor()) < target.get(author.actor())) {
      const auto* batch = author.after(replica.watermark.get(author.actor()));
      require(batch != nullptr, "a watermark claims a batch that was never sealed");
      apply(world.type(), replica, *batch);
    }
  }
  return replica;
}

void deltas_are_full_state(const crdt::Type& type, const Plan& plan, Story story) {
  const Three of(type, plan, story);
  if (!of.a.exact() || !of.b.exact()) return;
  const Replica by_state = merged(type, of.a, of.b);
  const Replica by_deltas = caught_up(of.world, of.a, by_state.watermark);
  require_equal(type, by_state, by_deltas, by_state.watermark, "merging states and joining deltas");
}

TEST_CASE("merge is commutative") { check_law("commutative", commutative); }

TEST_CASE("merge is associative") { check_law("associative", associative); }

TEST_CASE("merge is idempotent") { check_law("idempotent", idempotent); }

TEST_CASE("merging full states equals joining the deltas") {
  check_law("deltas are full state", deltas_are_full_state);
}

}  // namespace
}  // namespace tributary::laws

/// Laws of delivery: order, duplicates and batching change nothing.
#include "tests/laws/delivery.h"

#include <ostream>

#include <doctest/doctest.h>

#include "tests/laws/law.h"
#include "tests/laws/world.h"

namespace tributary::laws {
namespace {

std::vector<Stream> streams_of(const World& world) {
  std::vector<Stream> streams;
  for (const Author& author : world.authors()) streams.push_back(author.batches());
  return streams;
}

std::vector<Stream> sealed_again(const World& world, std::size_t longest, Dice& dice) {
  std::vector<Stream> streams;
  for (const Author& author : world.authors()) {
    streams.push_back(seal_again(world.type(), author, longest, dice));
  }
  return streams;
}

void any_order_ends_alike(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.run();
  world.seal_everything();
  Dice dice(plan.setup);
  const auto streams = streams_of(world);
  const Replica first = deliver(type, streams, dice);
  const Replica second = deliver(type, streams, dice);
  require(first.watermark == world.everything(), "the delivery did not deliver everything");
  require_equal(type, first, second, world.everything(), "two orders of delivery");
}

void batching_does_not_matter(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.run();
  Dice dice(plan.setup);
  const Replica singly = deliver(type, sealed_again(world, 1, dice), dice);
  const Replica mixed = deliver(type, sealed_again(world, 6, dice), dice);
  require_equal(type, singly, mixed, world.everything(), "single changes and random batches");
  std::vector<Stream> whole;
  for (const Author& author : world.authors()) {
    whole.emplace_back();
    if (!author.events().empty()) whole.back().push_back(seal_deltas(type, author.events()));
  }
  const Replica at_once = deliver(type, whole, dice);
  require_equal(type, singly, at_once, world.everything(), "single changes and one batch of all");
}

void again_changes_nothing(const Replica& before, const crdt::Type& type, const SealedDeltas& batch,
                           const KeyDelta& delta) {
  Replica once = before;
  join(type, once, batch, delta);
  for (const bool watermark_raised : {false, true}) {
    Replica twice = once;
    if (watermark_raised) twice.watermark.raise(batch.actor, batch.last);
    const crdt::ViewEdits edits = join(type, twice, batch, delta);
    require(edits.empty(), "a delta joined twice edits the view");
    require(fields_of(twice.keys[delta.key].state) == fields_of(once.keys[delta.key].state),
            "a delta joined twice changes the state");
  }
}

/// Every batch a replica has, however old, and whatever came after it.
void old_batches_change_nothing(const World& world, const Replica& replica) {
  for (const Author& author : world.authors()) {
    for (const SealedDeltas& batch : author.batches()) {
      if (batch.last > replica.watermark.get(author.actor())) break;
      for (const KeyDelta& delta : batch.deltas) {
        Replica again = replica;
        require(join(world.type(), again, batch, delta).empty(), "an old delta edits the view");
        require(fields_of(again.keys[delta.key].state) == fields_of(replica.keys[delta.key].state),
                "an old delta changes the state");
      }
    }
  }
}

void twice_is_once(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.before_join = [&](const Joining& joining) {
    again_changes_nothing(joining.replica, type, joining.batch, joining.delta);
  };
  world.run();
  for (const Replica& replica : world.replicas()) old_batches_change_nothing(world, replica);
}

TEST_CASE(
    "any order of delivery that keeps each actor's own, with duplicates, ends in equal bytes") {
  check_law("any order ends alike", any_order_ends_alike);
}

TEST_CASE("how changes are joined into batches does not matter at the end") {
  check_law("batching does not matter", batching_does_not_matter);
}

TEST_CASE("a batch joined twice changes nothing") { check_law("twice is once", twice_is_once); }

}  // namespace
}  // namespace tributary::laws

/// Bytes from outside: touched() refuses them as poison, or the join survives them.
#include <doctest/doctest.h>

#include "tests/laws/law.h"
#include "tests/laws/world.h"

namespace tributary::laws {
namespace {

constexpr std::size_t kLongestNoise = 40;
constexpr int kTriesPerReplica = 8;
constexpr std::string_view kLargestVarint = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";

std::string noise(Dice& dice) {
  std::string bytes(dice.below(kLongestNoise), '\0');
  for (char& byte : bytes) byte = static_cast<char>(dice.percent(50) ? dice.below(4) : dice.next());
  return bytes;
}

std::string damaged(std::string bytes, Dice& dice) {
  if (bytes.empty()) return noise(dice);
  const std::size_t where = dice.below(bytes.size());
  switch (dice.below(5)) {
    case 0: bytes[where] = static_cast<char>(bytes[where] ^ (1 << dice.below(8))); break;
    case 1: bytes.resize(where); break;
    case 2: bytes.replace(where, 1, kLargestVarint); break;
    case 3: bytes.insert(where, noise(dice)); break;
    default: bytes.erase(where, 1 + dice.below(3)); break;
  }
  return bytes;
}

/// What a consumer and its store would do with the delta, all the way to another region's merge.
void survive(const crdt::Type& type, const Replica& replica, const SealedDeltas& batch,
             const KeyDelta& delta) {
  const auto touched = type.touched(delta.body, bounds_of(batch));
  if (!touched) {
    require(touched.error().kind == ErrorKind::kPoison, "bad bytes are poison, and nothing else");
    require(!touched.error().message.empty(), "a refusal has a message");
    return;
  }
  const crdt::DeltaSource source{batch.actor, delta.last_seq, batch.contexts, &replica.watermark};
  crdt::State partial = load(replica.keys[delta.key].state, *touched);
  crdt::ViewEdits edits;
  type.join(delta.body, source, partial, edits);
  Replica other = replica;
  join(type, other, batch, delta);
  merge(type, other, replica);
  View view;
  carry_out(view, type.view, type.render(other.keys[delta.key].state));
  for (const crdt::FieldTotals& each : type.totals(delta.body)) {
    require(each.totals.increments >= 0 && each.totals.decrements >= 0,
            "totals of an accepted delta are negative");
  }
}

void garbage_does_no_harm(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.run();
  Dice dice(plan.setup);
  for (const Replica& replica : world.replicas()) {
    for (int i = 0; i < kTriesPerReplica; ++i) {
      const auto& batches = world.authors()[dice.below(world.authors().size())].batches();
      SealedDeltas batch;
      KeyDelta delta{dice.below(kKeys), Seq{dice.next() % 50}, noise(dice)};
      if (!batches.empty()) {
        batch = batches[dice.below(batches.size())];
        const KeyDelta& valid = batch.deltas[dice.below(batch.deltas.size())];
        if (dice.percent(70)) delta.body = damaged(valid.body, dice);
      }
      survive(type, replica, batch, delta);
    }
  }
}

/// What a consumer does with a state that it has loaded and found intact.
void use(const crdt::Type& type, crdt::State state, const Replica& replica, Dice& dice) {
  View view;
  carry_out(view, type.view, type.render(state));
  static_cast<void>(type.deferred(state));
  crdt::State pruned = state;
  type.prune(pruned, replica.watermark);
  const KeyCopy& good = replica.keys[dice.below(kKeys)];
  crdt::State merged = good.state;
  type.merge(merged, replica.watermark, state, replica.watermark);
  type.merge(state, replica.watermark, good.state, replica.watermark);
}

crdt::State damaged_state(const crdt::State& state, Dice& dice) {
  crdt::State result;
  result.set_complete();
  const bool all_noise = dice.percent(30);
  for (const auto& [name, value] : fields_of(state)) {
    if (all_noise) result.load(name, noise(dice));
    else result.load(name, dice.percent(50) ? damaged(value, dice) : value);
  }
  if (dice.percent(20)) result.load(noise(dice), noise(dice));
  result.settle();
  return result;
}

void damaged_states_are_told(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.run();
  Dice dice(plan.setup);
  for (const Replica& replica : world.replicas()) {
    for (const KeyCopy& copy : replica.keys) {
      require(type.intact(copy.state), "a state that joins made is not intact");
      for (int i = 0; i < kTriesPerReplica; ++i) {
        crdt::State state = damaged_state(copy.state, dice);
        if (type.intact(state)) use(type, std::move(state), replica, dice);
      }
    }
  }
}

/// No dot, time or remove from beyond the batch that a delta came in.
void deltas_stay_within_their_batch(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.run();
  for (const Author& author : world.authors()) {
    for (const SealedDeltas& batch : author.batches()) {
      for (const KeyDelta& delta : batch.deltas) {
        crdt::DeltaBounds bounds = bounds_of(batch);
        require(type.touched(delta.body, bounds).has_value(), "a delta is refused in its batch");
        if (type.name == "counter") continue;  // carries totals, and no identities
        const crdt::DeltaBounds earlier{Seq{0}, Seq{0}, bounds.hlc, bounds.context_count};
        require(!type.touched(delta.body, earlier).has_value(),
                "a delta is taken in a batch before its own");
      }
    }
  }
}

TEST_CASE("a damaged state is told by intact(), or does no harm") {
  check_law("damaged states are told", damaged_states_are_told);
}

TEST_CASE("a delta that claims what lies beyond its batch is refused") {
  check_law("deltas stay within their batch", deltas_stay_within_their_batch);
}

TEST_CASE("bad bytes are refused as poison, or do no harm") {
  check_law("garbage does no harm", garbage_does_no_harm);
}

}  // namespace
}  // namespace tributary::laws

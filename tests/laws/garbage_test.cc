/// Bytes from outside: touched() refuses them as poison, or the join survives them.
#include <doctest/doctest.h>

#include <tributary/tests/laws/law.h>
#include <tributary/tests/laws/world.h>

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
  const auto touched = type.touched(delta.body, batch.contexts.size());
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

TEST_CASE("bad bytes are refused as poison, or do no harm") {
  check_law("garbage does no harm", garbage_does_no_harm);
}

}  // namespace
}  // namespace tributary::laws

/// Laws of keys whose changes are set aside for a while: the watermark goes on without them, so
/// what such a key has seen is less than the watermark says.
#include <doctest/doctest.h>

#include "tests/laws/delivery.h"
#include "tests/laws/law.h"
#include "tests/laws/world.h"

namespace tributary::laws {
namespace {

constexpr std::size_t kBlockedKey = 0;

/// A replica that sets changes to one key aside, and joins them later.
class Parking {
 public:
  Parking(const crdt::Type& type, Dice& dice) : type_(type), dice_(dice) {}

  Replica replica;

  void receive(const SealedDeltas& batch) {
    blocked_ = blocked_ || dice_.percent(20);
    for (const KeyDelta& delta : batch.deltas) {
      if (!blocked_ || delta.key != kBlockedKey) join(type_, replica, batch, delta);
      else park(batch, delta);
    }
    replica.watermark.raise(batch.actor, batch.last);
    if (dice_.percent(30)) prune();
    if (dice_.percent(10)) retry();
  }

  /// Joins what was set aside, each actor's in its order.
  void retry() {
    const VersionVector watermark = replica.watermark;
    replica.watermark = lower(watermark, before_);
    for (const auto& [actor, parked] : parked_) {
      for (const auto& [batch, delta] : parked) join(type_, replica, batch, delta);
    }
    replica.watermark = watermark;
    parked_.clear();
    before_.clear();
    blocked_ = false;
  }

 private:
  void park(const SealedDeltas& batch, const KeyDelta& delta) {
    parked_[batch.actor].emplace_back(batch, delta);
    before_.try_emplace(batch.actor, Seq{batch.first.value - 1});
  }

  void prune() {
    for (std::size_t key = 0; key < kKeys; ++key) {
      const LoweredSeqs seen = key == kBlockedKey ? before_ : LoweredSeqs{};
      type_.prune(replica.keys[key].state, lower(replica.watermark, seen));
    }
  }

  const crdt::Type& type_;
  Dice& dice_;
  bool blocked_ = false;
  std::map<ActorId, std::vector<std::pair<SealedDeltas, KeyDelta>>> parked_;
  LoweredSeqs before_;
};

void pruning_commutes_with_parking(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.run();
  world.seal_everything();
  Dice dice(plan.setup);
  std::vector<Stream> streams;
  for (const Author& author : world.authors()) streams.push_back(author.batches());
  const Replica straight = deliver(type, streams, dice);
  Parking parking(type, dice);
  std::vector<std::size_t> next(streams.size(), 0);
  for (std::size_t left = 0; left < 1000; ++left) {
    const std::size_t stream = dice.below(streams.size());
    if (next[stream] < streams[stream].size()) parking.receive(streams[stream][next[stream]++]);
  }
  for (std::size_t stream = 0; stream < streams.size(); ++stream) {
    while (next[stream] < streams[stream].size()) parking.receive(streams[stream][next[stream]++]);
  }
  parking.retry();
  require_equal(type, straight, parking.replica, world.everything(),
                "a replica that set changes aside, and one that did not");
}

TEST_CASE("pruning commutes with parking") {
  check_law("pruning commutes with parking", pruning_commutes_with_parking);
}

}  // namespace
}  // namespace tributary::laws

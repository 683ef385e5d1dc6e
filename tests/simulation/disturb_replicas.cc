/// Replicas that go away, go back, or are written to by others.
#include <algorithm>

#include "world.h"

namespace tributary::simulation {

void World::disturb_replica() {
  Region& region = some_region();
  if (region.away || dice_.chance(0.1)) {
    region.away = !region.away && (traits_.absent_replica || dice_.chance(0.3));
    trace(region.away ? "a replica goes away" : "a replica is back");
    return;
  }
  if (!traits_.replica_losses) return;
  if (region.deferring && dice_.chance(0.3)) return roll_back_awake(region);
  if (dice_.chance(0.5) || region.snapshots.empty()) {
    region.snapshots.push_back(region.replica.snapshot());
  } else if (dice_.chance(0.8)) {
    trace("a replica is rolled back");
    region.replica.restore(region.snapshots[dice_.below(region.snapshots.size())]);
    region.torn = true;  // until the next look tells
  } else {
    trace("a replica is flushed");
    region.replica.flush();
  }
}

void World::note_deferring(Region& region) {
  if (region.deferring || region.away || !dice_.chance(0.1)) return;
  const double fault = std::exchange(fault_, 0);
  const auto keys = (*region.replica.open())->deferring_keys(1);
  fault_ = fault;
  if (keys && !keys->empty()) region.deferring = region.replica.snapshot();
}

/// The replica goes back to where removes waited, while its consumer has something to do that
/// commits nothing, and the time has come to look at those removes.
void World::roll_back_awake(Region& region) {
  trace("a replica is rolled back under its consumers");
  region.replica.restore(std::exchange(region.deferring, nullptr));
  region.torn = true;  // until the next look tells
  clock_.advance(Micros{1'000'000});
  for (const auto& slot : consumers_) {
    if (&slot.node->region() != &region) continue;
    for (auto& other : regions_) other->broker.deliver_again(slot.client, 1 + dice_.below(3));
    for (std::size_t part = 0; part + 1 < slot.node->parts(); ++part) {
      note(slot.node->step(part), false);
    }
  }
}

/// Only keys that the region knows: what others put elsewhere is not ours to mend.
void World::tamper() {
  if (!traits_.tampering) return;
  Region& region = some_region();
  std::string key = std::string(dice_.chance(0.5)   ? "s"
                                : dice_.chance(0.5) ? "c"
                                                    : "r") +
                    std::to_string(dice_.below(dice_.chance(0.4) ? 3 : 25));
  const double fault = std::exchange(fault_, 0);
  const bool away = std::exchange(region.away, false);
  auto store = region.replica.open();
  const auto deferring = (*store)->deferring_keys(100);
  if (!deferring->empty() && dice_.chance(0.5)) {
    const std::string& one = (*deferring)[dice_.below(deferring->size())];
    if (one.front() == 's') key = one;
  }
  const KeyLoad wanted{key, {}};
  const auto loaded = (*store)->load({&wanted, 1});
  fault_ = fault;
  region.away = away;
  if (!loaded || loaded->front().version.empty()) return;
  touched_.insert(key);
  const std::uint64_t draw = dice_.below(13) % 10;
  trace("tampering " + std::to_string(draw) + " with " + key);
  const bool set = key.front() == 's';
  const auto kind = set ? crdt::ViewKind::kSet : crdt::ViewKind::kString;
  switch (draw) {
    case 0:
    case 1:
    case 2:
      region.blocked = true;
      return region.replica.tamper(key, crdt::ViewKind::kHash, "foreign");
    case 3:
    case 4: return region.replica.tamper(key, kind, "another");
    case 5:
    case 6: return region.replica.drop_view(key);
    case 7: return region.replica.damage(key, MemoryReplica::Damage::kStray);
    case 8: return region.replica.damage(key, MemoryReplica::Damage::kNoVersion);
    default: return region.replica.damage(key, MemoryReplica::Damage::kBytes);
  }
}

}  // namespace tributary::simulation

/// Replicas that go away, go back, or are written to by others.
#include <algorithm>

#include "world.h"

namespace tributary::simulation {

void World::disturb_replica() {
  Region& region = some_region();
  if (region.away || dice_.chance(0.1)) {
    region.away =
        !region.away && !traits_.forgeries && (traits_.absent_replica || dice_.chance(0.3));
    trace(region.away ? "a replica goes away" : "a replica is back");
    return;
  }
  if (!traits_.replica_losses) return;
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

/// Only keys that the region knows: what others put elsewhere is not ours to mend.
void World::tamper() {
  if (!traits_.tampering) return;
  Region& region = some_region();
  const std::string key = std::string(dice_.chance(0.5)   ? "s"
                                      : dice_.chance(0.5) ? "c"
                                                          : "r") +
                          std::to_string(dice_.below(dice_.chance(0.4) ? 3 : 25));
  const double fault = std::exchange(fault_, 0);
  const bool away = std::exchange(region.away, false);
  auto store = region.replica.open();
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
    case 2: return region.replica.tamper(key, crdt::ViewKind::kHash, "foreign");
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

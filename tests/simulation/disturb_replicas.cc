/// Replicas that go away, go back, or are written to by others.
#include <algorithm>
#include <optional>

#include "tests/simulation/world.h"

namespace tributary::simulation {

void World::disturb_replica() {
  Region& region = some_region();
  if (region.away || dice_.chance(0.1)) {
    region.away = !region.away && (traits_.absent_replica || dice_.chance(0.3));
    trace(region.away ? "a replica goes away" : "a replica is back");
    return;
  }
  if (!traits_.replica_losses) return;
  if (region.deferring && dice_.chance(0.4)) return roll_back_awake(region);
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

/// While removes wait for what they have seen, that may be parked when it comes, and the moment is
/// one to go back to.
void World::watch_deferring(Region& region) {
  if (region.away || (!traits_.replica_losses && !traits_.tampering)) return;
  const double fault = std::exchange(fault_, 0);
  const auto keys = (*region.replica.open())->deferring_keys(100);
  fault_ = fault;
  if (!keys || keys->empty()) return;
  const bool first = !region.deferring;
  if (traits_.replica_losses && (first || dice_.chance(0.2))) {
    region.deferring = region.replica.snapshot();
  }
  const std::string& key = (*keys)[dice_.below(keys->size())];
  if (!traits_.tampering || key.front() != 's' || !dice_.chance(0.3)) return;
  if (dice_.chance(0.8)) block(region, key);
  else block_awaiting(region, key);
}

/// The key is blocked while its removes wait for what they have seen, and that comes and is parked:
/// nothing of it may be forgotten before it is retried.
void World::block_awaiting(Region& region, const std::string& key) {
  const double fault = std::exchange(fault_, 0);
  block(region, key);
  const auto blocked = [&] {
    const KeyLoad load{key, {}};
    return !(*region.replica.open())->load({&load, 1})->front().block.mark.empty();
  };
  for (int i = 0; i < 40 && !blocked(); ++i) {  // the scrub comes past
    clock_.advance(Micros{100'000});
    step_appliers(region);
  }
  for (int i = 0; i < 10; ++i) step_consumers(region);
  for (int i = 0; i < 2; ++i) {  // it is looked at, to see what can be forgotten
    clock_.advance(Micros{1'000'000});
    step_appliers(region);
  }
  fault_ = fault;
}

void World::step_appliers(Region& region) {
  for (const auto& slot : consumers_) {
    if (&slot.node->region() == &region) note(slot.node->step(slot.node->parts() - 2), false);
  }
}

/// All that they read, but of the origin `late`, and what they apply of it.
void World::step_consumers(Region& region, std::optional<std::size_t> late) {
  for (const auto& slot : consumers_) {
    if (&slot.node->region() != &region) continue;
    for (std::size_t part = 0; part + 1 < slot.node->parts(); ++part) {
      if (part != late) note(slot.node->step(part), false);
    }
  }
}

void World::block(Region& region, const std::string& key) {
  trace("a foreign view stands in the way of " + key);
  touched_.insert(key);
  region.blocked = true;
  contested_ = key;
  region.replica.tamper(key, crdt::ViewKind::kHash, "foreign");
}

/// Once all that the removes wait for has come, the replica goes back to where they waited, while
/// its consumer has something to do that commits nothing, and the time has come to look at them:
/// at once, or when it learns that there are some.
void World::roll_back_awake(Region& region) {
  trace("a replica is rolled back under its consumers");
  const double fault = std::exchange(fault_, 0);
  for (int i = 0; i < 20; ++i) step_consumers(region);
  region.replica.restore(std::exchange(region.deferring, nullptr));
  region.torn = true;  // until the next look tells
  clock_.advance(Micros{dice_.chance(0.3) ? 1'000'000 : 5'000'000});
  for (std::uint64_t round = 1 + dice_.below(3); round > 0; --round) {
    for (const auto& slot : consumers_) {
      if (&slot.node->region() != &region) continue;
      for (auto& other : regions_) other->broker.deliver_again(slot.client, 1 + dice_.below(3));
    }
    step_consumers(region);
    if (dice_.chance(0.5)) clock_.advance(Micros{1'000'000});
  }
  fault_ = fault;
}

/// The last of the storm: nothing that is written afterwards covers up what goes wrong now.
void World::end_storm() {
  if (!traits_.replica_losses && !traits_.tampering) return;
  const double fault = std::exchange(fault_, 0);
  for (auto& region : regions_) {
    region->away = false;
    const auto keys = *(*region->replica.open())->deferring_keys(1);
    const bool waits = !keys.empty() && keys.front().front() == 's';
    if (waits && traits_.tampering && dice_.chance(0.5)) block_awaiting(*region, keys.front());
    if (region->deferring && dice_.chance(0.5)) roll_back_awake(*region);
  }
  if (dice_.chance(0.5)) overtake();
  fault_ = fault;
}

/// A key that the region knows: what others put elsewhere is not ours to mend.
std::optional<std::string> World::known_key(Region& region) {
  const double fault = std::exchange(fault_, 0);
  const bool away = std::exchange(region.away, false);
  auto store = region.replica.open();
  auto keys = (*store)->walk("", 1'000'000)->keys;
  const auto deferring = *(*store)->deferring_keys(100);
  fault_ = fault;
  region.away = away;
  if (!deferring.empty() && dice_.chance(0.5)) keys = deferring;
  std::erase_if(keys, [](const std::string& key) {
    return std::string_view("scr").find(key.front()) == std::string_view::npos;
  });
  if (keys.empty()) return std::nullopt;
  return keys[dice_.below(keys.size())];
}

void World::tamper() {
  Region& region = some_region();
  const auto known = known_key(region);
  if (!known) return;
  const std::string& key = *known;
  touched_.insert(key);
  const std::uint64_t draw = dice_.below(15) % 10;
  trace("tampering " + std::to_string(draw) + " with " + key);
  const bool set = key.front() == 's';
  const auto kind = set ? crdt::ViewKind::kSet : crdt::ViewKind::kString;
  switch (draw) {
    case 0:
    case 1:
    case 2: return block(region, key);
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

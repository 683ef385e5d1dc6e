/// A remove that comes to a region before what it has seen, of a key that nobody else writes, so
/// that nothing covers up what becomes of it; and what may happen to the region while it waits.
#include <algorithm>

#include <tributary/crdt/types/set.h>

#include "tests/simulation/expectation.h"
#include "tests/simulation/world.h"

namespace tributary::simulation {

void World::overtake() {
  if (origins_.size() < 2 || regions_.size() < 2) return;
  Region& region = some_region();
  const std::size_t late = dice_.below(origins_.size());
  const std::size_t removes = (late + 1 + dice_.below(origins_.size() - 1)) % origins_.size();
  Origin& remover = origins_[removes];
  const bool possible = remover.region != &region && !region.away && !remover.region->away &&
                        !origins_[late].narrow && !remover.narrow && !origins_[late].broken &&
                        !remover.broken;
  if (!possible) return;
  const double fault = std::exchange(fault_, 0);
  if (overtaken(region, late, remover)) {
    if (traits_.replica_losses) region.deferring = region.replica.snapshot();
    const bool blocks = traits_.tampering && (!traits_.replica_losses || dice_.chance(0.5));
    if (blocks) block_awaiting(region, rare_.back());
    else roll_back_awake(region);
  }
  fault_ = fault;
}

/// Whether removes of the newest rare key wait in the region now.
bool World::overtaken(Region& region, std::size_t late, Origin& remover) {
  rare_.push_back("s" + std::to_string(1000 + rare_.size()));
  const std::string& key = rare_.back();
  trace("a remove of " + key + " is to overtake its add");
  Origin& adder = origins_[late];
  write(adder, set::add(key, "y"));
  publish(adder);
  for (int i = 0; i < 10; ++i) step_consumers(*remover.region);
  if (read(remover.region->replica, key).empty()) return false;
  publish(remover);  // it learns what its region shows
  write(remover, set::remove(key, "y"));
  publish(remover);
  for (int i = 0; i < 10; ++i) step_consumers(region, late);
  const auto waiting = *(*region.replica.open())->deferring_keys(100);
  return std::ranges::find(waiting, key) != waiting.end();
}

void World::publish(const Origin& origin) {
  for (int i = 0; i < 6; ++i) {
    for (const auto& slot : relays_) {
      if (&origins_[slot.place] != &origin) continue;
      slot.node->feed();
      note(slot.node->step(), origin.broken);
    }
    clock_.advance(Micros{20'000});
  }
}

}  // namespace tributary::simulation

/// Origins' databases that are put back to a backup: with another identity (a dump, a promoted
/// standby), without, and under running relays; the old relay's bytes may still be on their way.
#include <algorithm>

#include "tests/simulation/world.h"

namespace tributary::simulation {

void World::disturb_database() {
  Origin& origin = some_origin();
  if (origin.broken) return;
  if (!origin.stuck.empty() && dice_.chance(0.4)) return release_stuck(origin);
  if (origin.backups.empty() || dice_.chance(0.5)) {
    trace("backup of " + origin.name.value);
    origin.backups.push_back({origin.outbox->backup(), history_.held_by(origin.name.value),
                              origin.schema, origin.narrow});
    return;
  }
  restore(origin);
}

void World::restore(Origin& origin) {
  const Backup backup = origin.backups[dice_.below(origin.backups.size())];
  const std::uint64_t way = dice_.below(3);
  static constexpr const char* kWays[] = {"noticed", "unnoticed", "in place"};
  trace("restore of " + origin.name.value + ", " + kWays[way]);
  // Without a new identity only the relay that published them can tell.
  origin.stuck_unnoticed = way != 0;
  stick(origin, way == 0 ? 100 : published_alone(origin));
  clock_.advance(
      Micros{1000});  // a restore takes time: no later row has the time of a forgotten one
  if (way == 2) origin.outbox->restore_in_place(backup.disk);
  else origin.outbox->restore(backup.disk, way == 0);
  origin.schema = backup.schema;
  origin.narrow = backup.narrow;
  origin.restored = true;
  if (traits_.log_losses) witness_.loses(origin.name);
  history_.restored(origin.name.value, backup.held);
}

/// The oldest unconfirmed batches are on their way to the log.
void World::stick(Origin& origin, std::size_t count) {
  origin.stuck.clear();
  if (count == 0) return;
  const double fault = std::exchange(fault_, 0);
  const auto unconfirmed = origin.outbox->open_store()->unconfirmed(0, {100});
  fault_ = fault;
  if (!unconfirmed) return;  // there are none, and this is no leader
  for (const SealedBatch& batch : *unconfirmed) {
    if (origin.stuck.size() < count) origin.stuck.push_back(batch.bytes);
  }
}

/// How many batches the origin's only relay has published and not seen confirmed.
std::size_t World::published_alone(const Origin& origin) const {
  std::size_t relays = 0;
  std::size_t published = 0;
  for (const auto& slot : relays_) {
    if (&origins_[slot.place] != &origin) continue;
    ++relays;
    published = slot.node->published();
  }
  return relays == 1 ? published : 0;
}

/// While a keyspace is missing, whole transactions that wait are parked; then a person decides.
void World::disturb_keyspaces() {
  Origin& origin = some_origin();
  if (origin.broken) return;
  if (origin.narrow) return widen(origin);
  trace("keyspaces are missing at " + origin.name.value);
  Schema narrow = origin.schema;
  std::erase_if(narrow.keyspaces, [](const Keyspace& each) { return each.pattern == "t:*"; });
  origin.outbox->apply(std::move(narrow));
  origin.narrow = true;
}

void World::widen(Origin& origin) {
  if (!std::exchange(origin.narrow, false)) return;
  trace("no keyspaces are missing any more at " + origin.name.value);
  origin.outbox->apply(origin.schema);
  decide_parked(origin);
}

/// What a former relay had sealed reaches the log after all, up to somewhere.
void World::release_stuck(Origin& origin) {
  const auto session = origin.region->broker.session("a former relay");
  auto writer = session->open_writer(origin.name);
  if (!writer) return;
  const std::size_t count = 1 + dice_.below(origin.stuck.size());
  trace(std::to_string(count) + " old batches of " + origin.name.value + " arrive");
  for (std::size_t i = 0; i < count; ++i) {
    static_cast<void>((*writer)->publish(i + 1, origin.stuck[i]));
  }
  origin.stuck.clear();
}

}  // namespace tributary::simulation

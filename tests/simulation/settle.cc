/// The end of the storm: everything heals that can, and comes to rest.
#include <algorithm>

#include "tests/simulation/world.h"

namespace tributary::simulation {
namespace {

constexpr int kMostRounds = 3000;
constexpr int kQuietRounds = 12;
constexpr Micros kRound{500'000};
/// A gap shows with a heartbeat, and a key that could not be rebuilt is tried again after an hour.
constexpr Micros kLeaps[] = {std::chrono::seconds(35), std::chrono::seconds(35),
                             std::chrono::minutes(61), std::chrono::seconds(35)};

}  // namespace

void World::heal() {
  trace("everything heals");
  fault_ = 0;
  for (Origin& origin : origins_) {
    if (!origin.broken) widen(origin);
  }
  for (auto& region : regions_) {
    region->away = false;
    for (const auto& relay : relays_) {
      region->broker.heal(relay.client);
      region->broker.hold_confirms(relay.client, false);
      region->broker.hold_deliveries(relay.client, false);
    }
    for (const auto& consumer : consumers_) {
      region->broker.heal(consumer.client);
      region->broker.hold_deliveries(consumer.client, false);
    }
  }
}

void World::step_all() {
  for (auto& relay : relays_) {
    relay.node->feed();
    note(relay.node->step(), relay.node->origin().broken);
  }
  for (auto& consumer : consumers_) {
    const std::size_t parts = consumer.node->parts();
    for (std::size_t part = 0; part < parts; ++part) {
      for (int i = part + 1 < parts ? 6 : 1; i > 0; --i) note(consumer.node->step(part), false);
    }
  }
}

bool World::settle() {
  int quiet = 0;
  std::size_t leap = 0;
  std::string before;
  for (int round = 0; round < kMostRounds && !failure_; ++round) {
    step_all();
    for (Origin& origin : origins_) {
      if (round % 8 == 0 && !origin.broken) decide_parked(origin);
    }
    clock_.advance(kRound);
    std::string now = position();
    quiet = now == before && outboxes_empty() ? quiet + 1 : 0;
    before = std::move(now);
    if (quiet < kQuietRounds) continue;
    if (leap == std::size(kLeaps)) return true;
    clock_.advance(kLeaps[leap++]);
    quiet = 0;
  }
  return false;
}

bool World::outboxes_empty() {
  return std::ranges::all_of(origins_, [](const Origin& origin) {
    if (origin.broken) return true;
    const auto status = origin.outbox->open_store()->status();
    return status->depth == 0 && status->unconfirmed == 0 && status->parked == 0;
  });
}

std::string World::position() {
  std::string position;
  for (const Origin& origin : origins_) {
    if (origin.broken) continue;
    const auto status = origin.outbox->open_store()->status();
    position += std::to_string(status->head_seq.value) + " ";
  }
  for (const auto& consumer : consumers_) {
    position += std::to_string(consumer.node->read()) + " ";
  }
  for (auto& region : regions_) {
    auto store = region->replica.open();
    position += (*store)->progress()->watermark.bytes() + " " +
                std::to_string(*(*store)->parked_count()) + " ";
  }
  return position;
}

std::string World::lag() {
  std::string out;
  for (Origin& origin : origins_) {
    if (origin.broken) continue;
    const auto status = origin.outbox->open_store()->status();
    out += " " + origin.name.value + " has " + std::to_string(status->depth) + " unsealed, " +
           std::to_string(status->unconfirmed) + " unconfirmed, " + std::to_string(status->parked) +
           " parked, head " + std::to_string(status->head_seq.value) + ", applied";
    for (auto& region : regions_) {
      const auto progress = (*region->replica.open())->progress();
      out += " " + std::to_string(progress->watermark.get(status->actor.value_or(ActorId{})).value);
    }
    out += ";";
  }
  return out;
}

}  // namespace tributary::simulation

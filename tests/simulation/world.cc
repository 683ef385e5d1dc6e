#include "tests/simulation/world.h"

#include <algorithm>
#include <iostream>

namespace tributary::simulation {

World::World(std::uint64_t seed, bool trace) : dice_(seed), trace_(trace), traits_(dice_) {
  build();
}

void World::trace(const std::string& line) {
  if (trace_) std::cout << clock_.passed().count() / 1000 << " ms  " << line << std::endl;
}

/// An error that comes back from a step is for a person: nothing here needs one, unless it is
/// broken for good.
void World::note(const Result<void>& done, bool may_be_refused) {
  if (!done && !may_be_refused && !failure_) {
    failure_ = "a daemon gave up: " + done.error().message;
  }
}

std::optional<std::string> World::run() {
  trace("traits: " + traits_.names());
  const std::uint64_t actions = 100 + dice_.below(700);
  for (std::uint64_t i = 0; i < actions && !failure_; ++i) {
    act();
    if (auto torn = check_halves()) return torn;
  }
  end_storm();
  heal();
  mend();
  if (failure_) return failure_;
  if (!settle()) return failure_ ? *failure_ : "no rest after healing:" + lag();
  return check_end();
}

void World::act() {
  if (dice_.chance(0.1)) watch_deferring(some_region());
  if (traits_.skew && dice_.chance(0.03)) step_back_consumer();
  const std::uint64_t draw = dice_.below(100);
  if (draw < 20) write();
  else if (draw < 84) step_something();
  else if (draw < 91) clock_.advance(Micros{dice_.below(dice_.chance(0.1) ? 3'000'000 : 300'000)});
  else if (draw < 95) disturb();
  else if (draw < 97) crash_something();
  else if (draw < 99)
    fault_ = dice_.chance(0.5) ? 0 : 0.2 * static_cast<double>(dice_.below(100)) / 100;
  else retry_somewhere();
}

void World::step_something() {
  if (dice_.chance(0.35)) {
    RelayNode& relay = *relays_[dice_.below(relays_.size())].node;
    if (dice_.chance(0.6)) relay.feed();
    note(relay.step(), relay.origin().broken);
    return;
  }
  const Slot<ConsumerNode>& slot = consumers_[dice_.below(consumers_.size())];
  const std::size_t part = dice_.below(slot.node->parts());
  if (part != regions_[slot.place]->late) return note(slot.node->step(part), false);
  // Seldom, and then much at once: removes arrive before what they have seen.
  for (int i = dice_.chance(0.04) ? 20 : 0; i > 0; --i) note(slot.node->step(part), false);
}

/// Of the kinds that this world knows, so that each comes up often.
void World::disturb() {
  if (dice_.chance(0.35)) return disturb_link();
  std::vector<void (World::*)()> kinds{&World::disturb_replica};
  const auto known = [&](bool has, void (World::*kind)()) {
    if (has) kinds.push_back(kind);
  };
  known(traits_.tampering, &World::tamper);
  known(traits_.restores, &World::disturb_database);
  known(traits_.parking, &World::disturb_keyspaces);
  known(traits_.log_losses, &World::lose_log);
  known(traits_.forgeries, &World::forge);
  known(traits_.roll_out, &World::roll_out);
  known(traits_.broken_origin, &World::break_for_good);
  known(traits_.skew, &World::jump_clock);
  // The fewer there are, the less of each: a world must have time to recover.
  const std::size_t draw = dice_.below(std::max<std::size_t>(kinds.size(), 3));
  if (draw < kinds.size()) (this->*kinds[draw])();
}

void World::crash_something() {
  if (dice_.chance(0.5)) {
    Slot<RelayNode>& slot = relays_[dice_.below(relays_.size())];
    trace(slot.client + " crashes");
    Origin& origin = origins_[slot.place];
    if (std::exchange(origin.stuck_unnoticed, false)) origin.stuck.clear();
    return start_relay(slot);
  }
  Slot<ConsumerNode>& slot = consumers_[dice_.below(consumers_.size())];
  trace(slot.client + " crashes");
  start_consumer(slot);
}

void World::jump_clock() {
  const std::uint64_t draw = dice_.below(origins_.size() + relays_.size() + consumers_.size());
  const Micros skew = random_skew();
  trace("clock " + std::to_string(draw) + " jumps to " + std::to_string(skew.count()) + " us");
  if (draw < origins_.size()) origins_[draw].clock->set_skew(skew);
  else if (draw < origins_.size() + relays_.size()) {
    relays_[draw - origins_.size()].clock->set_skew(skew);
  } else {
    consumers_[draw - origins_.size() - relays_.size()].clock->set_skew(skew);
  }
}

/// While changes are being parked: they must not be told apart by clocks.
void World::step_back_consumer() {
  Slot<ConsumerNode>& slot = consumers_[dice_.below(consumers_.size())];
  if (!regions_[slot.place]->blocked) return;
  const Micros skew = slot.clock->skew() - Micros{1 + dice_.below(3'000'000)};
  trace("the clock of " + slot.client + " steps back");
  slot.clock->set_skew(skew);
}

}  // namespace tributary::simulation

/// Links that break, and logs that are lost.
#include "tests/simulation/world.h"

namespace tributary::simulation {

void World::disturb_link() {
  memory::MemoryBroker& broker = some_region().broker;
  const std::string client = dice_.chance(0.5) ? relays_[dice_.below(relays_.size())].client
                                               : consumers_[dice_.below(consumers_.size())].client;
  const std::uint64_t draw = dice_.below(8);
  trace("link disturbance " + std::to_string(draw) + " for " + client);
  switch (draw) {
    case 0: return broker.cut(client);
    case 1: return broker.heal(client);
    case 2: return broker.drop(client);
    case 3: return broker.fail_publish(client, memory::PublishFault::kLostBefore);
    case 4: return broker.fail_publish(client, memory::PublishFault::kLostAfter);
    case 5:
      return broker.fail_publish(client, dice_.chance(0.5) ? memory::PublishFault::kReturned
                                                           : memory::PublishFault::kNacked);
    case 6:
      return dice_.chance(0.5) ? broker.hold_confirms(client, dice_.chance(0.5))
                               : broker.hold_deliveries(client, dice_.chance(0.5));
    default:
      return dice_.chance(0.7) ? broker.deliver_again(client, 1 + dice_.below(5))
                               : broker.seem_empty(client, 1);
  }
}

void World::lose_log() {
  Origin& origin = some_origin();
  if (origin.broken) return;
  if (dice_.chance(0.5)) {
    trace("the log of " + origin.name.value + " is deleted");
    origin.region->broker.delete_log(origin.name);
  } else {
    const std::size_t keep = dice_.below(6);
    trace("the log of " + origin.name.value + " is truncated to " + std::to_string(keep));
    origin.region->broker.truncate(origin.name, keep);
  }
  witness_.kept(origin.name, origin.region->broker.messages(origin.name));
}

/// A database that was dropped, or a stream's name taken by something else.
void World::break_for_good() {
  if (origins_.size() < 2) return;
  Origin& origin = origins_.back();
  if (origin.broken) return;
  trace(origin.name.value + " breaks for good");
  origin.dropped = dice_.chance(0.5);
  if (!origin.dropped) origin.region->broker.misshape(origin.name);
  origin.broken = true;
}

void World::roll_out() {
  rolled_out_ = true;  // consumers that start from now on know the new keyspace
  Origin& origin = some_origin();
  trace("keyspaces are applied at " + origin.name.value);
  if (origin.schema.keyspaces.size() < schema_.keyspaces.size()) {
    origin.schema.keyspaces.push_back(schema_.keyspaces.back());
  }
  origin.outbox->apply(origin.schema);
}

}  // namespace tributary::simulation

#include "world.h"

#include <algorithm>
#include <iostream>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>

namespace tributary::simulation {
namespace {

constexpr int kSettleRounds = 3000;

std::string numbered(const char* name, std::size_t number) { return name + std::to_string(number); }

}  // namespace

World::World(std::uint64_t seed, bool trace) : random_(seed), trace_(trace) { build(); }

void World::trace(const std::string& line) {
  if (trace_) std::cout << clock_.monotonic().count() / 1000 << " ms  " << line << "\n";
}

bool World::chance(double probability) {
  return static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability;
}

/// An error that comes back from a step would end a real process: nothing here may cause one.
void World::note(const Result<void>& done) {
  if (!done && !failure_) failure_ = "a daemon gave up: " + done.error().message;
}

void World::build() {
  schema_.keyspaces = {{"c*", "counter"}, {"half:*", "counter"}, {"r*", "register"}, {"s*", "set"}};
  relay_settings_.batch_changes = 1 + below(8);
  relay_settings_.unconfirmed_batches = 1 + below(6);
  relay_settings_.unsaved_totals = 1 + below(6);
  relay_settings_.retention = Micros{below(2) * 1'000'000'000};
  consumer_settings_.group_deltas = 1 + below(20);
  consumer_settings_.queue_batches = 1 + below(8);
  const std::size_t regions = 1 + below(3);
  for (std::size_t i = 0; i < regions; ++i) regions_.push_back(std::make_unique<Region>());
  snapshots_.resize(regions);
  const std::size_t origins = 1 + below(3);
  for (std::size_t i = 0; i < origins; ++i) {
    const OriginName name{numbered("origin", i)};
    origins_.push_back({name, regions_[below(regions)].get(),
                        std::make_unique<memory::MemoryOutbox>(name, schema_, clock_)});
    origins_.back().outbox->set_fault(
        [this](std::string_view operation, bool /*after*/) -> std::optional<Error> {
          if (!chance(fault_)) return std::nullopt;
          return Error{ErrorKind::kTransient, "fault in " + std::string(operation)};
        });
  }
  for (auto& region : regions_) {
    region->replica.set_fault_hook([this](MemoryReplica::Call) {
      if (!chance(fault_)) return MemoryReplica::Fault::kNone;
      return chance(0.5) ? MemoryReplica::Fault::kBefore : MemoryReplica::Fault::kAfter;
    });
  }
  start_relays();
  start_consumers();
}

void World::start_relays() {
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    const std::size_t racing = chance(0.3) ? 2 : 1;
    for (std::size_t k = 0; k < racing; ++k) {
      relay_origin_.push_back(i);
      relays_.push_back(std::make_unique<RelayNode>(numbered("relay", relays_.size()), origins_[i],
                                                    schema_, relay_settings_, clock_,
                                                    [this] { return random_(); }));
    }
  }
}

void World::start_consumers() {
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    const std::size_t racing = chance(0.2) ? 2 : 1;
    for (std::size_t k = 0; k < racing; ++k) {
      consumer_region_.push_back(i);
      consumers_.push_back(std::make_unique<ConsumerNode>(numbered("consumer", consumers_.size()),
                                                          *regions_[i], origins_,
                                                          consumer_settings_, clock_));
    }
  }
}

// ---- the storm -----------------------------------------------------------------------------

std::optional<std::string> World::run() {
  const std::uint64_t actions = 100 + below(900);
  for (std::uint64_t i = 0; i < actions && !failure_; ++i) {
    act();
    if (auto torn = check_halves()) return torn;
  }
  heal();
  if (failure_) return failure_;
  if (!settle()) return failure_ ? *failure_ : "no convergence after healing:" + lag();
  return check_end();
}

void World::act() {
  const std::uint64_t draw = below(100);
  if (draw < 20) write();
  else if (draw < 85) step_something();
  else if (draw < 92) clock_.advance(Micros{below(300'000)});
  else if (draw < 96) disturb();
  else if (draw < 98) crash_something();
  else fault_ = chance(0.5) ? 0 : 0.2 * static_cast<double>(below(100)) / 100;
}

Change World::random_change() {
  const std::string key = std::to_string(below(3));
  const std::string element(1, static_cast<char>('x' + below(3)));
  switch (below(8)) {
    case 0:
    case 1: return counter::add("c" + key, static_cast<std::int64_t>(below(200)) - 100);
    case 2: return register_::set("r" + key, "v" + std::to_string(below(1000)));
    case 3: return chance(0.3) ? register_::clear("r" + key) : register_::set("r" + key, "w");
    case 4:
    case 5: return set::add("s" + key, element);
    case 6: return set::remove("s" + key, element);
    default: return chance(0.3) ? set::clear("s" + key) : set::add("s" + key, element);
  }
}

/// One transaction; both halves of an amount, so that a reader who sees one half only is caught.
void World::write() {
  Origin& origin = origins_[below(origins_.size())];
  auto session = origin.outbox->open_session();
  if (!session->begin()) return;
  std::vector<Change> changes;
  for (std::uint64_t i = below(4); i > 0; --i) changes.push_back(random_change());
  const auto amount = static_cast<std::int64_t>(1 + below(9));
  changes.insert(changes.begin(), counter::add("half:left", amount));
  changes.push_back(counter::add("half:right", amount));
  Transaction transaction(session->outbox());
  for (const Change& change : changes) {
    if (const auto written = transaction.write(change); !written) {
      failure_ = "a legal change was refused: " + written.error().message;
      return;
    }
  }
  const double fault = fault_;
  fault_ = 0;  // whether a commit that failed took effect is not what is tested here
  if (chance(0.15)) {
    if (transaction.flush()) static_cast<void>(session->rollback());
    trace("rolled back at " + origin.name.value);
  } else if (transaction.commit()) {
    history_.committed(origin.name.value, changes);
    trace("committed " + std::to_string(changes.size()) + " at " + origin.name.value);
  }
  fault_ = fault;
}

void World::step_something() {
  if (chance(0.35)) {
    note(relays_[below(relays_.size())]->step());
    return;
  }
  ConsumerNode& consumer = *consumers_[below(consumers_.size())];
  note(consumer.step(below(consumer.parts())));
}

void World::disturb() { chance(0.6) ? disturb_link() : disturb_replica(); }

void World::disturb_link() {
  memory::MemoryBroker& broker = regions_[below(regions_.size())]->broker;
  const bool relay = chance(0.5);
  const std::string client = relay ? relays_[below(relays_.size())]->client()
                                   : consumers_[below(consumers_.size())]->client();
  const std::uint64_t draw = below(8);
  trace("link disturbance " + std::to_string(draw) + " for " + client);
  switch (draw) {
    case 0: return broker.cut(client);
    case 1: return broker.heal(client);
    case 2: return broker.drop(client);
    case 3: return broker.fail_publish(client, memory::PublishFault::kLostBefore);
    case 4: return broker.fail_publish(client, memory::PublishFault::kLostAfter);
    case 5:
      return broker.fail_publish(
          client, chance(0.5) ? memory::PublishFault::kReturned : memory::PublishFault::kNacked);
    case 6:
      return chance(0.5) ? broker.hold_confirms(client, chance(0.5))
                         : broker.hold_deliveries(client, chance(0.5));
    default: return broker.deliver_again(client, 1 + below(5));
  }
}

void World::disturb_replica() {
  const std::size_t index = below(regions_.size());
  MemoryReplica& replica = regions_[index]->replica;
  auto& snapshots = snapshots_[index];
  if (chance(0.5) || snapshots.empty()) {
    snapshots.push_back(replica.snapshot());
  } else if (chance(0.8)) {
    trace("replica " + std::to_string(index) + " rolled back");
    replica.restore(snapshots[below(snapshots.size())]);
  } else {
    trace("replica " + std::to_string(index) + " flushed");
    replica.flush();
  }
}

void World::crash_something() {
  if (chance(0.5)) {
    const std::size_t i = below(relays_.size());
    const std::string client = relays_[i]->client();
    trace(client + " crashes");
    relays_[i].reset();
    relays_[i] = std::make_unique<RelayNode>(client, origins_[relay_origin_[i]], schema_,
                                             relay_settings_, clock_, [this] { return random_(); });
    return;
  }
  const std::size_t i = below(consumers_.size());
  const std::string client = consumers_[i]->client();
  trace(client + " crashes");
  consumers_[i].reset();
  consumers_[i] = std::make_unique<ConsumerNode>(client, *regions_[consumer_region_[i]], origins_,
                                                 consumer_settings_, clock_);
}

// ---- the end -------------------------------------------------------------------------------

void World::heal() {
  trace("everything heals");
  fault_ = 0;
  for (auto& region : regions_) {
    for (const auto& relay : relays_) {
      region->broker.heal(relay->client());
      region->broker.hold_confirms(relay->client(), false);
    }
    for (const auto& consumer : consumers_) {
      region->broker.heal(consumer->client());
      region->broker.hold_deliveries(consumer->client(), false);
    }
  }
}

bool World::settle() {
  int quiet = 0;
  for (int round = 0; round < kSettleRounds && !failure_; ++round) {
    for (auto& relay : relays_) note(relay->step());
    for (auto& consumer : consumers_) {
      for (std::size_t part = 0; part < consumer->parts(); ++part) note(consumer->step(part));
    }
    clock_.advance(Micros{50'000});
    quiet = converged() ? quiet + 1 : 0;
    if (quiet > 60) return true;  // long enough for deferred removes to be pruned
  }
  return false;
}

std::string World::lag() {
  std::string out;
  for (Origin& origin : origins_) {
    const auto status = origin.outbox->open_store()->status();
    out += " " + origin.name.value + " has " + std::to_string(status->depth) + " unsealed, " +
           std::to_string(status->unconfirmed) + " unconfirmed, head " +
           std::to_string(status->head_seq.value) + ", applied";
    for (auto& region : regions_) {
      const auto progress = (*region->replica.open())->progress();
      out += " " + std::to_string(progress->watermark.get(status->actor.value_or(ActorId{})).value);
    }
    out += ";";
  }
  return out;
}

bool World::converged() {
  for (Origin& origin : origins_) {
    const auto status = origin.outbox->open_store()->status();
    if (!status || status->depth > 0 || status->unconfirmed > 0) return false;
    for (auto& region : regions_) {
      auto store = region->replica.open();
      const auto progress = (*store)->progress();
      const Seq applied = status->actor ? progress->watermark.get(*status->actor) : Seq{};
      if (applied != status->head_seq) return false;
    }
  }
  return true;
}

}  // namespace tributary::simulation

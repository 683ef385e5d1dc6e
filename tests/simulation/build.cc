/// Puts up a deployment.
#include <algorithm>

#include "tests/simulation/world.h"

namespace tributary::simulation {
namespace {

std::string numbered(const char* name, std::size_t number) { return name + std::to_string(number); }

}  // namespace

void World::build() {
  choose_settings();
  build_regions();
  build_origins();
  if (traits_.slow_links) slow_link();
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    for (std::size_t k = dice_.chance(0.3) ? 2 : 1; k > 0; --k) {
      relays_.push_back({numbered("relay", relays_.size()), i, new_clock(), nullptr});
      // Often on one machine: only then its timestamps are far from those of others.
      if (dice_.chance(0.5)) relays_.back().clock->set_skew(origins_[i].clock->skew());
      start_relay(relays_.back());
    }
  }
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    for (std::size_t k = dice_.chance(0.2) ? 2 : 1; k > 0; --k) {
      consumers_.push_back({numbered("consumer", consumers_.size()), i, new_clock(), nullptr});
      start_consumer(consumers_.back());
    }
  }
}

void World::choose_settings() {
  old_schema_.keyspaces = {{"t:*", "counter"}, {"c*", "counter"}, {"half:*", "counter"},
                           {"r*", "register"}, {"s*", "set"},     {"d*", "set"}};
  schema_ = old_schema_;
  schema_.keyspaces.push_back({"n*", "register"});
  if (!traits_.default_settings) {
    relay_settings_.batch_changes = 1 + dice_.below(16);
    relay_settings_.unconfirmed_batches = 1 + dice_.below(6);
    if (dice_.chance(0.5)) relay_settings_.max_skew = Micros{10'000};
    relay_settings_.unsaved_totals = 1 + dice_.below(6);
    relay_settings_.retention = Micros{dice_.below(2) * 1'000'000'000};
    consumer_settings_.group_deltas = 1 + dice_.below(20);
    consumer_settings_.queue_batches = 1 + dice_.below(8);
  }
  old_consumer_settings_ = consumer_settings_;
  old_consumer_settings_.schema = old_schema_;
  consumer_settings_.schema = schema_;
}

void World::build_regions() {
  const std::size_t regions = std::max<std::size_t>(least(), 1 + dice_.below(3));
  for (std::size_t i = 0; i < regions; ++i) {
    Region& region = *regions_.emplace_back(std::make_unique<Region>());
    region.replica.set_fault_hook([this, &region](MemoryReplica::Call call) {
      if (region.away) return MemoryReplica::Fault::kBefore;
      if (fault_ == 0 || !dice_.chance(fault_)) return MemoryReplica::Fault::kNone;
      const bool halfway = dice_.chance(0.3);
      if (call == MemoryReplica::Call::kCommit && halfway) {
        region.torn = true;
        region.halved = true;
        return MemoryReplica::Fault::kHalfway;
      }
      return dice_.chance(0.5) ? MemoryReplica::Fault::kBefore : MemoryReplica::Fault::kAfter;
    });
    region.broker.confirm_late(dice_.chance(0.7));
    region.broker.watch([this](const OriginName& origin, std::string_view bytes) {
      witness_.stored(origin, bytes);
    });
  }
  witness_.ask([this](ActorId actor) { return applied_somewhere(actor); });
  if (traits_.absent_replica) some_region().away = true;
}

void World::build_origins() {
  const std::size_t origins = std::max<std::size_t>(least(), 1 + dice_.below(3));
  for (std::size_t i = 0; i < origins; ++i) {
    Origin& origin = origins_.emplace_back();
    origin.name = {numbered("origin", i)};
    relay_settings_.origins.push_back(origin.name);
    origin.region = &some_region();
    origin.clock = new_clock();
    origin.schema = old_schema_;
    if (traits_.disagreement && i == 0) origin.schema.keyspaces.back().type = "counter";
    origin.outbox =
        std::make_unique<memory::MemoryOutbox>(origin.name, origin.schema, *origin.clock);
    if (dice_.chance(0.5)) origin.outbox->share_numbers();
    origin.outbox->set_fault(
        [this, i](std::string_view operation, bool /*after*/) -> std::optional<Error> {
          if (origins_[i].dropped) return Error{ErrorKind::kFatal, "the database was dropped"};
          if (fault_ == 0 || !dice_.chance(fault_)) return std::nullopt;
          return Error{ErrorKind::kTransient, "fault in " + std::string(operation)};
        });
  }
}

/// From an origin to a region where few write: writers elsewhere see more than it has.
void World::slow_link() {
  const auto writers = [&](const auto& region) {
    return std::ranges::count(origins_, region.get(), &Origin::region);
  };
  Region& remote = **std::ranges::min_element(regions_, {}, writers);
  const std::size_t late = dice_.below(origins_.size());
  if (origins_[late].region != &remote) remote.late = late;
}

void World::start_relay(Slot<RelayNode>& slot) {
  slot.node.reset();
  slot.node = std::make_unique<RelayNode>(
      slot.client, RelayNode::Place{&origins_[slot.place], &regions_, &relay_settings_},
      *slot.clock, dice_);
}

void World::start_consumer(Slot<ConsumerNode>& slot) {
  slot.node.reset();
  slot.node = std::make_unique<ConsumerNode>(
      slot.client, *regions_[slot.place], origins_,
      rolled_out_ ? consumer_settings_ : old_consumer_settings_, *slot.clock);
}

/// Mostly within what is permitted, sometimes far beyond.
Micros World::random_skew() {
  const auto range = static_cast<std::int64_t>(dice_.chance(0.8) ? 1'500'000 : 20'000'000);
  return Micros{static_cast<std::int64_t>(dice_.below(2 * static_cast<std::uint64_t>(range))) -
                range};
}

std::unique_ptr<NodeClock> World::new_clock() {
  auto clock = std::make_unique<NodeClock>(clock_);
  if (traits_.skew) clock->set_skew(random_skew());
  return clock;
}

}  // namespace tributary::simulation

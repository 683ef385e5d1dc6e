#include "tests/simulation/nodes.h"

#include <prometheus/counter.h>

#include "tests/unit/gauge_value.h"

namespace tributary::simulation {
namespace {

std::vector<OriginName> names_of(const std::vector<Origin>& origins) {
  std::vector<OriginName> names;
  for (const Origin& origin : origins) names.push_back(origin.name);
  return names;
}

Result<ReplicaContext> context_in(Region& region) {
  TRIBUTARY_ASSIGN(const auto store, region.replica.open());
  return store->context();
}

Result<ReplicaProgress> progress_in(Region& region) {
  TRIBUTARY_ASSIGN(const auto store, region.replica.open());
  return store->progress();
}

}  // namespace

RelayNode::RelayNode(std::string client, const Place& place, Clock& clock, Dice& dice)
    : client_(std::move(client)),
      place_(place),
      dice_(dice),
      changelog_(place.origin->region->broker.session(client_)),
      relay_(place.origin->name, *place.settings,
             {.open_store = [this]() -> Result<std::unique_ptr<OutboxStore>> {
                return place_.origin->outbox->open_store();
              },
              .changelog = changelog_.get(),
              .writer_context = [this] { return context_; },
              .ask_context = [this] { return context_in(*place_.origin->region); },
              .ask_replicas = [this] { return ask(); },
              .random = [&dice] { return dice.bits(); },
              .clock = &clock,
              .metrics = &metrics_}) {}

void RelayNode::feed() {
  if (auto context = context_in(*place_.origin->region)) context_ = std::move(*context);
}

/// The own region's replica, and others as far as they can be reached.
ReplicaAnswers RelayNode::ask() const {
  ReplicaAnswers answers;
  if (auto own = progress_in(*place_.origin->region)) {
    answers.own = true;
    answers.replicas.push_back(std::move(*own));
  }
  for (const auto& region : *place_.regions) {
    if (region.get() == place_.origin->region || dice_.chance(0.3)) continue;
    if (auto other = progress_in(*region)) answers.replicas.push_back(std::move(*other));
  }
  answers.all = answers.replicas.size() == place_.regions->size();
  return answers;
}

ConsumerNode::ConsumerNode(const std::string& client, Region& region, std::vector<Origin>& origins,
                           const ConsumerSettings& settings, Clock& clock)
    : client_(client),
      region_(region),
      clock_(clock),
      read_ahead_(names_of(origins), settings),
      applier_([&region] { return region.replica.open(); }, read_ahead_, settings, clock,
               metrics_) {
  RebuildPass::Changelogs by_origin;
  for (Origin& origin : origins) {
    changelogs_.push_back(origin.region->broker.session(client_));
    by_origin[origin.name] = changelogs_.back().get();
    readers_.push_back(std::make_unique<OriginReader>(*changelogs_.back(), origin.name, read_ahead_,
                                                      settings, clock, metrics_));
    read_bytes_.emplace_back(origin.name, &prometheus::BuildCounter()
                                               .Name("tributary_consumer_read_bytes_total")
                                               .Help("Bytes read from the origin's changelog")
                                               .Register(*metrics_.registry())
                                               .Add({{"origin", origin.name.value}}));
  }
  rebuilder_ = std::make_unique<Rebuilder>([&region] { return region.replica.open(); },
                                           std::move(by_origin), settings, clock, metrics_);
}

Result<void> ConsumerNode::step(std::size_t part) {
  if (part < readers_.size()) return readers_[part]->step(Millis{0}).map([](Millis) {});
  if (part == readers_.size()) return applier_.step().map([](Millis) {});
  if (clock_.monotonic() < rebuild_at_) return {};
  const Millis wait = rebuilder_->step(std::stop_token());
  rebuild_at_ = clock_.monotonic() + wait;
  return {};
}

double ConsumerNode::read() const {
  double bytes = 0;
  for (const auto& [origin, counter] : read_bytes_) {
    const bool stopped =
        gauge_value(metrics_, "tributary_consumer_stopped", origin.value).value_or(0) > 0;
    if (!stopped) bytes += counter->Value();
  }
  return bytes;
}

bool ConsumerNode::behind(const OriginName& origin) const {
  return gauge_value(metrics_, "tributary_consumer_stopped", origin.value).value_or(0) > 0 ||
         gauge_value(metrics_, "tributary_consumer_lag_changes", origin.value).value_or(0) > 0;
}

}  // namespace tributary::simulation

#include "nodes.h"

namespace tributary::simulation {
namespace {

std::vector<OriginName> names_of(const std::vector<Origin>& origins) {
  std::vector<OriginName> names;
  for (const Origin& origin : origins) names.push_back(origin.name);
  return names;
}

std::optional<WriterContext> context_in(Region& region) {
  auto store = region.replica.open();
  if (!store) return std::nullopt;
  const auto progress = (*store)->progress();
  if (!progress) return std::nullopt;
  return WriterContext{progress->watermark, progress->hlc};
}

}  // namespace

RelayNode::RelayNode(std::string client, Origin& origin, const Schema& schema,
                     const RelaySettings& settings, Clock& clock,
                     std::function<std::uint64_t()> random)
    : client_(std::move(client)),
      changelog_(origin.region->broker.session(client_)),
      relay_(origin.name, schema, settings,
             {.open_store = [&origin]() -> Result<std::unique_ptr<OutboxStore>> {
                return origin.outbox->open_store();
              },
              .changelog = changelog_.get(),
              .writer_context = [region = origin.region] { return context_in(*region); },
              .random = std::move(random),
              .clock = &clock,
              .metrics = &metrics_}) {}

ConsumerNode::ConsumerNode(const std::string& client, Region& region, std::vector<Origin>& origins,
                           const ConsumerSettings& settings, Clock& clock)
    : client_(client),
      inbox_(names_of(origins), settings),
      applier_([&region] { return region.replica.open(); }, inbox_, settings, clock, metrics_) {
  for (Origin& origin : origins) {
    changelogs_.push_back(origin.region->broker.session(client_));
    readers_.push_back(std::make_unique<OriginReader>(*changelogs_.back(), origin.name, inbox_,
                                                      settings, clock, metrics_));
  }
}

Result<void> ConsumerNode::step(std::size_t part) {
  auto done = part < readers_.size() ? readers_[part]->step(Millis{0}) : applier_.step();
  return done.map([](Millis) {});
}

}  // namespace tributary::simulation

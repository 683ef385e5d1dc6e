#include "consumer/region_consumer.h"

#include <vector>

#include "base/outage.h"
#include "base/stop.h"
#include "consumer/origin_reader.h"
#include "consumer/rebuilder.h"

namespace tributary {
namespace {

constexpr Millis kReadWait{200};

/// The applier's side of a consumer: one replica, whatever it says.
class ReplicaLoop {
 public:
  ReplicaLoop(const ConsumerSettings& settings, const ConsumerPorts& ports, ReadAhead& read_ahead)
      : outage_(
            {.away = "replica is away",
             .refuse = "the replica cannot be written until somebody helps; all changes wait "
                       "in their changelogs, and it is tried again",
             .back = "the replica can be written again"},
            {},
            ports.metrics->gauge("tributary_consumer_replica_failed",
                                 "1 while the replica fails for a reason that needs a person", {}),
            {settings.backoff_first, settings.backoff_max,
             static_cast<std::uint64_t>(ports.clock->wall().count())}),
        applier_([this, open = ports.open_replica] { return opened(open()); }, read_ahead, settings,
                 *ports.clock, *ports.metrics) {}

  /// How long to wait for batches before the next call.
  Millis step() {
    const bool was_open = open_;
    const auto waited = applier_.step();
    if (!waited) {
      open_ = false;
      return outage_.met(waited.error());
    }
    if (was_open && open_) outage_.over();  // opened before, and it worked: not only opened
    return *waited;
  }

  void finish() { applier_.finish(); }

 private:
  Result<std::unique_ptr<ReplicaStore>> opened(Result<std::unique_ptr<ReplicaStore>> store) {
    open_ = store.has_value();
    return store;
  }

  Outage outage_;
  bool open_ = false;
  Applier applier_;
};

/// All that the threads of one region's consumer share.
class Region {
 public:
  Region(const ConsumerSettings& settings, ConsumerPorts ports, std::stop_token stop)
      : settings_(settings),
        ports_(std::move(ports)),
        stop_(std::move(stop)),
        read_ahead_(origins_of(ports_), settings_) {}

  void read(const OriginName& origin) {
    OriginReader reader(*ports_.changelogs.at(origin), origin, read_ahead_, settings_,
                        *ports_.clock, *ports_.metrics);
    while (!stop_.stop_requested()) {
      if (!read_ahead_.wait_for_room(origin, reader.generation(), stop_)) return;
      // Never an error; if it ever were one, it would not stop the other origins.
      sleep_unless_stopped(reader.step(kReadWait).value_or(Outage::kLongestWait), stop_);
    }
  }

  void rebuild() {
    RebuildPass::Changelogs changelogs;
    for (const auto& [origin, changelog] : ports_.changelogs) changelogs[origin] = changelog.get();
    Rebuilder rebuilder(ports_.open_replica, changelogs, settings_, *ports_.clock, *ports_.metrics);
    while (!stop_.stop_requested()) sleep_unless_stopped(rebuilder.step(stop_), stop_);
  }

  void apply() {
    ReplicaLoop replica(settings_, ports_, read_ahead_);
    while (!stop_.stop_requested()) {
      const Millis wait = replica.step();
      if (wait > Millis{0}) read_ahead_.wait_for_batch(wait, stop_);
    }
    replica.finish();
  }

 private:
  static std::vector<OriginName> origins_of(const ConsumerPorts& ports) {
    std::vector<OriginName> origins;
    for (const auto& [origin, changelog] : ports.changelogs) origins.push_back(origin);
    return origins;
  }

  const ConsumerSettings settings_;
  const ConsumerPorts ports_;
  const std::stop_token stop_;
  ReadAhead read_ahead_;
};

}  // namespace

Crew start_consumer(const ConsumerSettings& settings, const ConsumerPorts& ports,
                    std::stop_token stop) {
  const auto region = std::make_shared<Region>(settings, ports, std::move(stop));
  Crew crew;
  for (const auto& [origin, changelog] : ports.changelogs) {
    crew.start([region, origin = origin](const Crew::Member&) { region->read(origin); });
  }
  crew.start([region](const Crew::Member&) { region->rebuild(); });
  crew.start([region](const Crew::Member&) { region->apply(); });
  return crew;
}

}  // namespace tributary

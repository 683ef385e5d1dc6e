#include <thread>
#include <vector>

#include <tributary/base/outage.h>
#include <tributary/base/stop.h>
#include <tributary/consumer/origin_reader.h>
#include <tributary/consumer/rebuilder.h>
#include <tributary/consumer/region_consumer.h>

namespace tributary {
namespace {

constexpr Millis kReadWait{200};

void read_loop(OriginReader reader, const OriginName& origin, Inbox& inbox,
               const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!inbox.wait_for_room(origin, reader.generation(), stop)) return;
    // Never an error; if it ever were one, it would not stop the other origins.
    sleep_unless_stopped(reader.step(kReadWait).value_or(Outage::kLongestWait), stop);
  }
}

/// The applier's side of a consumer: one replica, whatever it says.
class ReplicaLoop {
 public:
  ReplicaLoop(const ConsumerSettings& settings, const ConsumerPorts& ports, Inbox& inbox)
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
        applier_([this, open = ports.open_replica] { return opened(open()); }, inbox, settings,
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

 private:
  Result<std::unique_ptr<ReplicaStore>> opened(Result<std::unique_ptr<ReplicaStore>> store) {
    open_ = store.has_value();
    return store;
  }

  Outage outage_;
  bool open_ = false;
  Applier applier_;
};

}  // namespace

Result<void> run_consumer(const ConsumerSettings& settings, const ConsumerPorts& ports,
                          std::stop_token stop) {
  std::vector<OriginName> origins;
  for (const auto& [origin, changelog] : ports.changelogs) origins.push_back(origin);
  Inbox inbox(origins, settings);
  std::vector<std::jthread> readers;
  for (const auto& [origin, changelog] : ports.changelogs) {
    OriginReader reader(*changelog, origin, inbox, settings, *ports.clock, *ports.metrics);
    readers.emplace_back([&, reader = std::move(reader), name = origin]() mutable {
      read_loop(std::move(reader), name, inbox, stop);
    });
  }
  readers.emplace_back([&] {
    Rebuilder rebuilder(ports.open_replica, ports.changelogs, settings, *ports.clock,
                        *ports.metrics);
    while (!stop.stop_requested()) sleep_unless_stopped(rebuilder.step(stop), stop);
  });
  ReplicaLoop replica(settings, ports, inbox);
  while (!stop.stop_requested()) {
    const Millis wait = replica.step();
    if (wait > Millis{0}) inbox.wait_for_batch(wait, stop);
  }
  for (std::jthread& reader : readers) reader.join();
  return {};
}

}  // namespace tributary

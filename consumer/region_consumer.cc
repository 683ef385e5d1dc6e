#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <tributary/base/stop.h>
#include <tributary/consumer/origin_reader.h>
#include <tributary/consumer/rebuilder.h>
#include <tributary/consumer/region_consumer.h>

namespace tributary {
namespace {

constexpr Millis kReadWait{200};

/// The first fatal error of any loop; it stops all of them.
class Failure {
 public:
  explicit Failure(std::stop_source& all) : all_(all) {}
  void report(Error error) {
    const std::scoped_lock lock(mutex_);
    if (!error_) error_ = std::move(error);
    all_.request_stop();
  }
  [[nodiscard]] Result<void> result() {
    const std::scoped_lock lock(mutex_);
    if (error_) return fail(*error_);
    return {};
  }

 private:
  std::stop_source& all_;
  std::mutex mutex_;
  std::optional<Error> error_;
};

void read_loop(OriginReader reader, const OriginName& origin, Inbox& inbox, Failure& failure,
               const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!inbox.wait_for_room(origin, reader.generation(), stop)) return;
    auto waited = reader.step(kReadWait);
    if (!waited) return failure.report(waited.error().in("origin " + origin.value));
    sleep_unless_stopped(*waited, stop);
  }
}

}  // namespace

Result<void> run_consumer(const ConsumerSettings& settings, const ConsumerPorts& ports,
                          std::stop_token stop) {
  std::vector<OriginName> origins;
  for (const auto& [origin, changelog] : ports.changelogs) origins.push_back(origin);
  Inbox inbox(origins, settings);
  std::stop_source all;
  Failure failure(all);
  const std::stop_callback pass_on(stop, [&] { all.request_stop(); });
  std::vector<std::jthread> readers;
  for (const auto& [origin, changelog] : ports.changelogs) {
    OriginReader reader(*changelog, origin, inbox, settings, *ports.clock, *ports.metrics);
    readers.emplace_back([&, reader = std::move(reader), name = origin]() mutable {
      read_loop(std::move(reader), name, inbox, failure, all.get_token());
    });
  }
  readers.emplace_back([&, token = all.get_token()] {
    Rebuilder rebuilder(ports.open_replica, ports.changelogs, settings, *ports.clock,
                        *ports.metrics);
    while (!token.stop_requested()) sleep_unless_stopped(rebuilder.step(token), token);
  });
  Applier applier(ports.open_replica, inbox, settings, *ports.clock, *ports.metrics);
  const std::stop_token token = all.get_token();
  while (!token.stop_requested()) {
    auto waited = applier.step();
    if (!waited) {
      failure.report(waited.error());
      break;
    }
    if (*waited > Millis{0}) inbox.wait_for_batch(*waited, token);
  }
  for (std::jthread& reader : readers) reader.join();
  return failure.result();
}

}  // namespace tributary

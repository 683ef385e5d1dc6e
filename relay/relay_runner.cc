#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include <tributary/base/log.h>
#include <tributary/base/stop.h>
#include <tributary/relay/relay_runner.h>

namespace tributary {
namespace {

/// The newest progress of a region's replica, passed from the thread that reads it to the relay.
class ContextFeed {
 public:
  [[nodiscard]] std::optional<WriterContext> newest() const {
    const std::scoped_lock lock(mutex_);
    return context_;
  }

  /// Reads the replica again and again until stopped; a replica that is away only makes contexts
  /// older, and an older context removes less.
  void run(const RelayedOrigin& origin, const std::stop_token& stop) {
    Backoff backoff(origin.settings.backoff_first, origin.settings.backoff_max, 1);
    std::unique_ptr<ReplicaStore> store;
    bool outage_logged = false;
    while (!stop.stop_requested()) {
      auto done = refresh(origin, store);
      if (done) backoff.reset();
      if (!done && !outage_logged) {
        log::warn("the region's replica is away; writers' contexts grow old",
                  {{"origin", origin.name.value}, {"reason", done.error().message}});
      }
      outage_logged = !done;
      sleep_unless_stopped(done ? origin.settings.context_refresh : backoff.next(), stop);
    }
  }

 private:
  Result<void> refresh(const RelayedOrigin& origin, std::unique_ptr<ReplicaStore>& store) {
    if (store == nullptr) {
      TRIBUTARY_ASSIGN(store, origin.open_replica());
    }
    auto progress = store->progress();
    if (!progress) {
      store.reset();
      return fail(progress.error());
    }
    const std::scoped_lock lock(mutex_);
    context_ = WriterContext{progress->watermark, progress->hlc};
    return {};
  }

  mutable std::mutex mutex_;
  std::optional<WriterContext> context_;
};

std::uint64_t random64() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

Result<void> relay_loop(OriginRelay& relay, Millis drain, Clock& clock,
                        const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    TRIBUTARY_ASSIGN(const Millis wait, relay.step());
    sleep_unless_stopped(wait, stop);
  }
  relay.stop_sealing();
  const Micros deadline = clock.monotonic() + drain;
  while (relay.leading() && !relay.drained() && clock.monotonic() < deadline) {
    TRIBUTARY_TRY(relay.step());
    std::this_thread::sleep_for(Millis{1});
  }
  relay.release();
  return {};
}

}  // namespace

Result<void> run_relays(const std::vector<RelayedOrigin>& origins, const Schema& schema,
                        Millis drain, Clock& clock, Metrics& metrics, std::stop_token stop) {
  std::stop_source all;
  const std::stop_callback pass_on(stop, [&] { all.request_stop(); });
  std::mutex mutex;
  Result<void> outcome;
  std::vector<std::jthread> threads;
  std::vector<std::unique_ptr<ContextFeed>> feeds;
  for (const RelayedOrigin& origin : origins) {
    ContextFeed& feed = *feeds.emplace_back(std::make_unique<ContextFeed>());
    threads.emplace_back([&feed, &origin, token = all.get_token()] { feed.run(origin, token); });
    threads.emplace_back([&, token = all.get_token()] {
      OriginRelay relay(origin.name, schema, origin.settings,
                        {.open_store = origin.open_store,
                         .changelog = origin.changelog,
                         .writer_context = [&feed] { return feed.newest(); },
                         .random = random64,
                         .clock = &clock,
                         .metrics = &metrics});
      auto done = relay_loop(relay, drain, clock, token);
      if (done) return;
      const std::scoped_lock lock(mutex);
      if (outcome) outcome = fail(done.error().in("origin " + origin.name.value));
      all.request_stop();
    });
  }
  threads.clear();  // joins
  return outcome;
}

}  // namespace tributary

#include <algorithm>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include <tributary/base/log.h>
#include <tributary/base/outage.h>
#include <tributary/base/stop.h>
#include <tributary/relay/relay_runner.h>

namespace tributary {
namespace {

/// The newest progress of a region's replica, passed from the thread that reads it to the relay.
class ContextFeed {
 public:
  ContextFeed(const RelayedOrigin& origin, Metrics& metrics)
      : origin_(origin),
        connected_(metrics.gauge("tributary_relay_replica_connected",
                                 "1 while the replica of the origin's region can be read",
                                 {{"origin", origin.name.value}})) {
    connected_.set(0);
  }

  [[nodiscard]] std::optional<ReplicaContext> newest() const {
    const std::scoped_lock lock(mutex_);
    return context_;
  }

  /// Reads the replica again and again until stopped; a replica that is away or refuses us only
  /// makes contexts older, and an older context removes less.
  void run(Metrics& metrics, const std::stop_token& stop) {
    const std::string sentence = "the region's replica cannot be read; writers' contexts grow old";
    Outage outage({.away = sentence, .refuse = sentence, .back = "the region's replica is back"},
                  origin_.name.value,
                  metrics.gauge("tributary_relay_replica_failed",
                                "1 while the replica of the origin's region cannot be read for a "
                                "reason that needs a person",
                                {{"origin", origin_.name.value}}),
                  {origin_.settings.backoff_first, origin_.settings.backoff_max, 1});
    std::unique_ptr<ReplicaStore> store;
    while (!stop.stop_requested()) {
      const auto done = refresh(store);
      connected_.set(done ? 1 : 0);
      if (done) outage.over();
      sleep_unless_stopped(done ? origin_.settings.context_refresh : outage.met(done.error()),
                           stop);
    }
  }

 private:
  Result<void> refresh(std::unique_ptr<ReplicaStore>& store) {
    if (store == nullptr) {
      TRIBUTARY_ASSIGN(store, origin_.open_replica());
    }
    auto context = store->context();
    if (!context) {
      store.reset();
      return fail(context.error());
    }
    const std::scoped_lock lock(mutex_);
    context_ = std::move(*context);
    return {};
  }

  const RelayedOrigin& origin_;
  Gauge& connected_;
  mutable std::mutex mutex_;
  std::optional<ReplicaContext> context_;
};

std::uint64_t random64() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

Result<ReplicaProgress> progress_of(
    const std::function<Result<std::unique_ptr<ReplicaStore>>()>& open) {
  TRIBUTARY_ASSIGN(const auto store, open());
  return certain_progress(*store);
}

/// All at once: a region that cannot be reached costs its deadline, and not the sum of all.
ReplicaAnswers ask_replicas(const RelayedOrigin& origin) {
  std::vector<Result<ReplicaProgress>> answers(1 + origin.open_others.size(),
                                               fail(ErrorKind::kTransient, "not asked"));
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      threads.emplace_back([&, i] {
        answers[i] = progress_of(i == 0 ? origin.open_replica : origin.open_others[i - 1]);
      });
    }
  }
  ReplicaAnswers known{.replicas = {}, .own = answers.front().has_value()};
  for (auto& answer : answers) {
    if (answer) known.replicas.push_back(std::move(*answer));
    else {
      log::info("a replica cannot be asked about the origin's actors",
                {{"origin", origin.name.value}, {"reason", answer.error().message}});
    }
  }
  return known;
}

/// The context of the origin's region as of now, over a connection of its own.
class ContextInquiry {
 public:
  explicit ContextInquiry(const RelayedOrigin& origin) : origin_(origin) {}

  Result<ReplicaContext> ask() {
    if (store_ == nullptr) {
      TRIBUTARY_ASSIGN(store_, origin_.open_replica());
    }
    auto context = store_->context();
    if (!context) store_.reset();
    return context;
  }

 private:
  const RelayedOrigin& origin_;
  std::unique_ptr<ReplicaStore> store_;
};

/// One origin's relay and what it says when only a person can help.
class OriginLoop {
 public:
  OriginLoop(const RelayedOrigin& origin, const ContextFeed& feed, Clock& clock, Metrics& metrics)
      : origin_(origin),
        clock_(clock),
        database_(metrics.gauge("tributary_relay_database_connected",
                                "1 while the origin's database is open",
                                {{"origin", origin.name.value}})),
        outage_({.away = "the origin cannot be relayed yet",
                 .refuse = "the origin cannot be relayed until somebody helps; its changes wait in "
                           "its outbox, the other origins go on, and it is tried again",
                 .back = "the origin is relayed again"},
                origin.name.value,
                metrics.gauge("tributary_relay_failed",
                              "1 while the origin cannot be relayed for a reason that needs a "
                              "person",
                              {{"origin", origin.name.value}}),
                {origin.settings.backoff_first, origin.settings.backoff_max, 1}),
        inquiry_(origin),
        relay_(origin.name, origin.settings,
               {.open_store = [this, open = origin.open_store] { return opened(open()); },
                .changelog = origin.changelog,
                .writer_context = [&feed] { return feed.newest(); },
                .ask_context = [this] { return inquiry_.ask(); },
                .ask_replicas = [&origin] { return ask_replicas(origin); },
                .random = random64,
                .clock = &clock,
                .metrics = &metrics}) {
    database_.set(0);
  }

  Result<void> run(Millis drain, const std::stop_token& stop) {
    while (!stop.stop_requested()) sleep_unless_stopped(step(), stop);
    relay_.stop_sealing();
    const Micros deadline = clock_.monotonic() + drain;
    while (relay_.leading() && !relay_.drained() && clock_.monotonic() < deadline) {
      TRIBUTARY_TRY(relay_.step());
      std::this_thread::sleep_for(Millis{1});
    }
    relay_.release();
    return {};
  }

 private:
  /// How long to wait before the next call.
  Millis step() {
    const auto waited = relay_.step();
    if (!waited) return failed(waited.error());
    // The publisher has the same gauge for its own refusals, so it is left alone while all is well.
    if (failing_) went_well();
    return *waited;
  }

  Millis failed(const Error& error) {
    failing_ = true;
    well_since_.reset();
    database_.set(0);
    const Millis wait = outage_.met(error);
    // Some work is done at house-keeping only: what fails there must have had its turn.
    proof_ = std::max(wait, origin_.settings.housekeeping);
    return wait;
  }

  /// To lead is not to be well: what failed before may fail at the next step again.
  void went_well() {
    if (!relay_.leading()) {
      well_since_.reset();
      return outage_.ease();
    }
    const Micros now = clock_.monotonic();
    if (!well_since_) well_since_ = now;
    if (now - *well_since_ < proof_) return outage_.hold();
    outage_.over();
    failing_ = false;
  }

  Result<std::unique_ptr<OutboxStore>> opened(Result<std::unique_ptr<OutboxStore>> store) {
    database_.set(store ? 1 : 0);
    return store;
  }

  const RelayedOrigin& origin_;
  Clock& clock_;
  Gauge& database_;
  Outage outage_;
  bool failing_ = false;
  std::optional<Micros> well_since_;  ///< it leads and nothing failed; while failing_
  Millis proof_{0};                   ///< after so long without a failure the outage is over
  ContextInquiry inquiry_;
  OriginRelay relay_;
};

}  // namespace

Result<void> run_relays(const std::vector<RelayedOrigin>& origins, Millis drain, Clock& clock,
                        Metrics& metrics, std::stop_token stop) {
  std::mutex mutex;
  Result<void> outcome;
  std::vector<std::jthread> threads;
  std::vector<std::unique_ptr<ContextFeed>> feeds;
  for (const RelayedOrigin& origin : origins) {
    ContextFeed& feed = *feeds.emplace_back(std::make_unique<ContextFeed>(origin, metrics));
    threads.emplace_back([&feed, &metrics, stop] { feed.run(metrics, stop); });
    threads.emplace_back([&, stop] {
      auto done = OriginLoop(origin, feed, clock, metrics).run(drain, stop);
      if (done) return;
      const std::scoped_lock lock(mutex);
      if (outcome) outcome = fail(done.error().in("origin " + origin.name.value));
    });
  }
  threads.clear();  // joins
  return outcome;
}

}  // namespace tributary

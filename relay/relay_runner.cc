#include "relay/relay_runner.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/outage.h"
#include "base/stop.h"

namespace tributary {
namespace {

/// A broker that has confirmed nothing for so long is not drained into any more.
constexpr Micros kNothingConfirmed{2'000'000};

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
  known.all = known.replicas.size() == answers.size();
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
               {.open_store = origin.open_store,
                .changelog = origin.changelog.get(),
                .writer_context = [&feed] { return feed.newest(); },
                .ask_context = [this] { return inquiry_.ask(); },
                .ask_replicas = [&origin] { return ask_replicas(origin); },
                .random = random64,
                .clock = &clock,
                .metrics = &metrics}) {}

  void run(Millis longest, const std::stop_token& stop, const Crew::Member& member) {
    while (!stop.stop_requested()) sleep_unless_stopped(step(), stop);
    relay_.stop_sealing();
    if (const auto drained = drain(longest, member); !drained) {
      log::warn("not all that is sealed was published; the next relay goes on with it",
                {{"origin", origin_.name.value}, {"reason", drained.error().message}});
    }
    relay_.release();
  }

 private:
  Result<void> drain(Millis longest, const Crew::Member& member) {
    const Micros end = clock_.monotonic() + longest;
    Micros patience = clock_.monotonic() + kNothingConfirmed;
    std::size_t unconfirmed = relay_.unconfirmed();
    while (relay_.leading() && !relay_.drained() && !member.left_behind()) {
      if (clock_.monotonic() >= std::min(end, patience)) {
        return fail(ErrorKind::kTransient, "the changelog did not confirm it in time");
      }
      TRIBUTARY_TRY(relay_.step());
      if (std::exchange(unconfirmed, relay_.unconfirmed()) > relay_.unconfirmed()) {
        patience = clock_.monotonic() + kNothingConfirmed;
        member.gets_on();
      }
      std::this_thread::sleep_for(Millis{1});
    }
    return {};
  }

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

  const RelayedOrigin& origin_;
  Clock& clock_;
  Outage outage_;
  bool failing_ = false;
  std::optional<Micros> well_since_;  ///< it leads and nothing failed; while failing_
  Millis proof_{0};                   ///< after so long without a failure the outage is over
  ContextInquiry inquiry_;
  OriginRelay relay_;
};

/// All that the threads of one origin's relay share.
class Relay {
 public:
  Relay(RelayedOrigin origin, std::shared_ptr<Clock> clock, std::shared_ptr<Metrics> metrics)
      : origin_(std::move(origin)),
        clock_(std::move(clock)),
        metrics_(std::move(metrics)),
        feed_(origin_, *metrics_) {}

  void follow_replica(const std::stop_token& stop) { feed_.run(*metrics_, stop); }
  void run(Millis drain, const std::stop_token& stop, const Crew::Member& member) {
    OriginLoop(origin_, feed_, *clock_, *metrics_).run(drain, stop, member);
  }

 private:
  const RelayedOrigin origin_;
  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<Metrics> metrics_;
  ContextFeed feed_;
};

}  // namespace

Crew start_relays(std::vector<RelayedOrigin> origins, Millis drain, std::shared_ptr<Clock> clock,
                  std::shared_ptr<Metrics> metrics, std::stop_token stop) {
  Crew crew;
  for (RelayedOrigin& origin : origins) {
    const auto relay = std::make_shared<Relay>(std::move(origin), clock, metrics);
    crew.start([relay, stop](const Crew::Member&) { relay->follow_replica(stop); });
    crew.start(
        [relay, drain, stop](const Crew::Member& member) { relay->run(drain, stop, member); });
  }
  return crew;
}

}  // namespace tributary

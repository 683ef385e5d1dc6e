#include "consumer/applier.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace tributary {
namespace {

constexpr Millis kIdleWait{100};
constexpr int kCommitAttempts = 8;
constexpr Millis kClaimInterval{5000};
constexpr Millis kClaimTime{30'000};

}  // namespace

Applier::Applier(OpenReplica open_replica, ReadAhead& read_ahead, const ConsumerSettings& settings,
                 Clock& clock, Metrics& metrics)
    : open_replica_(std::move(open_replica)),
      read_ahead_(read_ahead),
      settings_(settings),
      clock_(clock),
      backoff_(settings.backoff_first, settings.backoff_max,
               static_cast<std::uint64_t>(clock.wall().count())),
      conflicts_(metrics.event_count("tributary_consumer_conflicts_total",
                                     "Commits that met another writer and were tried again", {})),
      changes_(metrics.event_count("tributary_consumer_applied_changes_total",
                                   "Changes joined into the replica", {})),
      batches_(metrics.event_count("tributary_consumer_applied_batches_total",
                                   "Batches joined into the replica", {})),
      parked_(metrics.event_count("tributary_consumer_parked_total",
                                  "Changes and messages ever set aside", {})),
      connected_(metrics.gauge("tributary_consumer_replica_connected",
                               "1 while the region's replica is open", {})),
      parking_({.bodies = settings.parked_bodies, .bytes = settings.parked_bytes}),
      intake_(origins_, read_ahead, parking_, clock),
      upkeep_(settings, clock, metrics, parking_),
      waiting_(settings) {
  connected_.set(0);
  for (const OriginName& origin : read_ahead.origins()) {
    origins_.try_emplace(origin, origin, settings, clock, metrics);
  }
}

Result<Millis> Applier::step() {
  auto waited = store_ == nullptr ? open() : work();
  if (waited) return waited;
  return recover(waited.error());
}

void Applier::finish() {
  if (store_ == nullptr || waiting_.empty()) return;
  if (const auto done = commit_waiting(); !done) {
    log::info("the last heartbeats were not noted; they are read again after the next start",
              {{"reason", done.error().message}});
  }
}

Result<void> Applier::claim() {
  if (settings_.region.value.empty() || clock_.monotonic() < claim_at_) return {};
  claim_at_ = clock_.monotonic() + kClaimInterval;
  return store_->claim(settings_.region, kClaimTime);
}

Result<Millis> Applier::work() {
  TRIBUTARY_TRY(claim());
  TRIBUTARY_TRY(retry_halted());
  auto received = read_ahead_.take(settings_.group_deltas);
  const bool idle = received.empty();
  if (!idle) TRIBUTARY_TRY(apply(std::move(received)));
  TRIBUTARY_TRY(commit_heartbeats());
  TRIBUTARY_TRY(upkeep_.step(*store_, known_, origins_, idle));
  return idle ? kIdleWait : Millis{0};
}

Result<Millis> Applier::recover(const Error& error) {
  store_.reset();
  read_ahead_.suspend();
  connected_.set(0);
  if (error.kind == ErrorKind::kFatal || error.kind == ErrorKind::kInvalid) return fail(error);
  if (error.kind == ErrorKind::kConflict) {
    log::warn("the replica is not as expected; reading its progress again",
              {{"reason", error.message}});
    return backoff_.next();
  }
  if (outage_ != error.message) log::warn("replica is away", {{"reason", error.message}});
  outage_ = error.message;
  return backoff_.next();
}

/// What an operator should change about the server, once each.
void Applier::warn() {
  const auto warnings = store_->warnings();
  if (!warnings) return;  // that the server is away shows elsewhere
  for (const std::string& warning : *warnings) {
    if (warned_.insert(warning).second) {
      log::warn("the replica is not safe as it is set up", {{"reason", warning}});
    }
  }
}

void Applier::tell_damage(const ReplicaProgress& progress) {
  for (const std::string& damage : progress.damage) {
    if (warned_.insert(damage).second) {
      log::error("something that the replica keeps for Tributary is damaged", {{"reason", damage}});
    }
  }
}

Result<Millis> Applier::open() {
  TRIBUTARY_ASSIGN(store_, open_replica_());
  claim_at_ = Micros{0};
  TRIBUTARY_TRY(claim());
  TRIBUTARY_ASSIGN(const auto strays, store_->move_strays_aside());
  for (const std::string& stray : strays) {
    log::error("another program wrote over what the replica keeps for Tributary",
               {{"reason", stray}});
  }
  TRIBUTARY_ASSIGN(ReplicaProgress progress, store_->progress());
  tell_damage(progress);
  known_ = {std::move(progress.token), std::move(progress.watermark), std::move(progress.actors),
            progress.hlc, std::move(progress.doubtful)};
  parking_.reset();
  waiting_.clear();
  TRIBUTARY_TRY(upkeep_.open(*store_, known_, progress.unfinished));
  for (auto& [origin, state] : origins_) {
    const auto known = progress.origins.find(origin);
    const bool seen = known != progress.origins.end();
    state.open(seen ? std::optional(known->second) : std::nullopt, known_.watermark);
    state.show(known_.watermark);
    read_ahead_.restart(origin, state.read_after());
  }
  connected_.set(1);
  warn();
  log::info(outage_.empty() ? "replica is open" : "replica is back",
            {{"actors", known_.watermark.size()}, {"origins", origins_.size()}});
  outage_.clear();
  return Millis{0};
}

Result<void> Applier::retry_halted() {
  for (auto& [origin, state] : origins_) {
    if (!state.retries()) continue;
    if (!known_.doubtful.empty()) {
      TRIBUTARY_ASSIGN(const ReplicaProgress now, store_->progress());
      if (now.doubtful != known_.doubtful) {
        return fail(ErrorKind::kConflict, "what was damaged in it has changed");
      }
    }
    parking_.reset();  // perhaps there is room by now
    const Offset offset = state.progress().offset;
    const bool seen = state.progress() != OriginProgress{};
    read_ahead_.restart(origin, seen ? std::optional(offset) : std::nullopt);
  }
  return {};
}

// ---- committing ----------------------------------------------------------------------------

Result<void> Applier::apply(std::vector<Arrival> received) {
  Plan plan(std::move(received), known_, settings_.schema, read_ahead_.origins());
  TRIBUTARY_TRY(intake_.plan(*store_, plan));
  if (plan.matters()) return commit(plan);
  if (!plan.progress.empty()) waiting_.add(plan, clock_.monotonic());
  moved(plan);
  return {};
}

Result<void> Applier::commit_heartbeats() {
  if (!waiting_.due(clock_.monotonic())) return {};
  return commit_waiting();
}

Result<void> Applier::commit_waiting() {
  Plan plan({}, known_, settings_.schema, read_ahead_.origins());
  return commit(plan);
}

Result<void> Applier::commit(Plan& plan) {
  waiting_.add_to(plan);
  for (int attempt = 1;; ++attempt) {
    auto done = join_and_commit(plan);
    if (done) return {};
    if (done.error().kind != ErrorKind::kConflict || attempt == kCommitAttempts) return done;
    conflicts_.add(1);
    TRIBUTARY_TRY(resolve_conflict(plan));
  }
}

Result<void> Applier::join_and_commit(Plan& plan) {
  TRIBUTARY_TRY(plan.group.load(*store_));
  plan.group.join(known_.watermark);
  ParkingPlan aside{.parked = plan.messages, .blocks = {}};
  TRIBUTARY_TRY(parking_.set_aside(*store_, plan.group, clock_.wall(), aside));
  std::vector<Advance> advances;
  for (const auto& [actor, seq] : plan.standing.watermark()) {
    const Seq from = known_.watermark.get(actor);
    if (from < seq) advances.push_back({actor, from, seq});
  }
  const std::vector<std::pair<ActorId, ActorRecord>> actors(plan.standing.changed().begin(),
                                                            plan.standing.changed().end());
  const std::vector<std::pair<OriginName, OriginProgress>> progress(plan.progress.begin(),
                                                                    plan.progress.end());
  TRIBUTARY_ASSIGN(known_.token, store_->commit({.expected_token = known_.token,
                                                 .advances = advances,
                                                 .actors = actors,
                                                 .keys = plan.group.commits(),
                                                 .blocks = aside.blocks,
                                                 .progress = progress,
                                                 .parked = aside.parked,
                                                 .unparked = {},
                                                 .hlc = std::max(plan.hlc, known_.hlc)}));
  committed(plan, aside);
  return {};
}

Result<void> Applier::resolve_conflict(Plan& plan) {
  TRIBUTARY_TRY(check_token(*store_, known_));
  const auto views = plan.group.views();
  if (views.empty()) return {};
  TRIBUTARY_ASSIGN(const auto changed, store_->changed_views(views));
  plan.group.found(changed);
  return {};
}

void Applier::committed(const Plan& plan, const ParkingPlan& parked) {
  backoff_.reset();
  known_.watermark = plan.standing.watermark();
  known_.hlc = std::max(known_.hlc, plan.hlc);
  for (const auto& [actor, record] : plan.standing.changed()) known_.actors[actor] = record;
  waiting_.clear();
  moved(plan);
  parking_.committed(parked);
  parked_.add(static_cast<double>(parked.parked.size()));
  changes_.add(static_cast<double>(plan.changes));
  batches_.add(static_cast<double>(plan.batches));
  if (plan.group.any_deferring()) upkeep_.deferring();
}

void Applier::moved(const Plan& plan) {
  for (const auto& [origin, progress] : plan.progress) origins_.at(origin).move_to(progress);
  for (const Arrival& each : plan.received) {
    OriginState& state = origins_.at(each.origin);
    state.show(known_.watermark);
    state.keep_skipped();
  }
}

}  // namespace tributary

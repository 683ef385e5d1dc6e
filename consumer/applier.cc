#include <algorithm>

#include <tributary/base/log.h>
#include <tributary/consumer/applier.h>
#include <tributary/consumer/parking.h>
#include <tributary/consumer/pruning.h>

namespace tributary {
namespace {

constexpr Millis kIdleWait{100};
constexpr int kCommitAttempts = 8;
constexpr std::string_view kBehindParked = "an earlier change to the key is parked";

}  // namespace

Applier::Applier(OpenReplica open_replica, Inbox& inbox, const ConsumerSettings& settings,
                 Clock& clock, Metrics& metrics)
    : open_replica_(std::move(open_replica)),
      inbox_(inbox),
      settings_(settings),
      clock_(clock),
      metrics_(metrics),
      backoff_(settings.backoff_first, settings.backoff_max,
               static_cast<std::uint64_t>(clock.wall().count())),
      conflicts_(metrics.counter("tributary_consumer_conflicts_total",
                                 "Commits that met another writer and were tried again", {})) {}

Result<Millis> Applier::step() {
  auto waited = [&]() -> Result<Millis> {
    if (store_ == nullptr) return open();
    retry_stopped();
    auto received = inbox_.take(settings_.group_deltas);
    if (!received.empty()) return apply(std::move(received));
    TRIBUTARY_TRY(prune());
    return kIdleWait;
  }();
  if (waited) return waited;
  return recover(waited.error());
}

Result<Millis> Applier::recover(const Error& error) {
  store_.reset();
  inbox_.suspend();
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

Result<Millis> Applier::open() {
  TRIBUTARY_ASSIGN(store_, open_replica_());
  TRIBUTARY_ASSIGN(const ReplicaProgress progress, store_->progress());
  TRIBUTARY_TRY(refresh_blocked());
  watermark_ = progress.watermark;
  origins_.clear();
  for (const OriginName& origin : inbox_.origins()) {
    const auto known = progress.origins.find(origin);
    std::optional<Offset> after;
    if (known != progress.origins.end()) {
      origins_[origin].progress = known->second;
      after = known->second.offset;
    }
    inbox_.restart(origin, after);
  }
  deferring_ = true;  // perhaps: the first pruning tells
  log::info(outage_.empty() ? "replica is open" : "replica is back",
            {{"actors", watermark_.size()}, {"origins", inbox_.origins().size()}});
  outage_.clear();
  return Millis{0};
}

Result<void> Applier::refresh_blocked() {
  TRIBUTARY_ASSIGN(const auto parked, store_->parked());
  blocked_.clear();
  for (const Parked& each : parked) {
    if (!each.key.empty()) blocked_.insert(each.key);
  }
  metrics_.gauge("tributary_consumer_parked", "Changes and messages set aside", {})
      .set(static_cast<double>(parked.size()));
  return {};
}

// ---- planning ------------------------------------------------------------------------------

void Applier::plan_message(Plan& plan, const Received& received) {
  OriginState& state = origins_[received.origin];
  if (state.stopped) return;
  auto [entry, fresh] = plan.progress.try_emplace(received.origin, state.progress);
  if (!received.batch) {
    plan.parked.push_back(park_message(received, received.batch.error().message, clock_.wall()));
  } else if (received.batch->origin != received.origin) {
    Received copy = received;
    copy.raw = encode(*received.batch);
    plan.parked.push_back(park_message(
        copy, "it belongs to origin \"" + received.batch->origin.value + "\"", clock_.wall()));
  } else {
    plan_batch(plan, received, *received.batch);
    if (state.stopped) return;
  }
  entry->second.offset = received.offset;
}

void Applier::plan_batch(Plan& plan, const Received& received, const Batch& batch) {
  const Seq have = plan.watermark.get(batch.actor);
  if (batch.first_seq > have.next()) return gap(received, batch, have);
  plan.steps.try_emplace(batch.actor, WatermarkStep{batch.actor, have, have});
  OriginProgress& progress = plan.progress[received.origin];
  if (progress.actor != batch.actor)
    progress = {batch.actor, received.offset, batch.last_seq, batch.hlc};
  progress.head_seq = std::max(progress.head_seq, batch.last_seq);
  progress.hlc = std::max(progress.hlc, batch.hlc);
  if (batch.last_seq <= have) return;  // a duplicate, or a heartbeat
  if (batch.first_seq != have.next()) return gap(received, batch, have);
  origins_[received.origin].started_over = false;
  origins_[received.origin].missing_since.reset();
  plan.hlc = std::max(plan.hlc, batch.hlc);
  plan_deltas(plan, batch);
  plan.watermark.raise(batch.actor, batch.last_seq);
  plan.steps[batch.actor].to = batch.last_seq;
  plan.changes += batch.last_seq.value - batch.first_seq.value + 1;
  plan.batches += 1;
}

void Applier::plan_deltas(Plan& plan, const Batch& batch) {
  for (const Delta& delta : batch.deltas) {
    const DeltaRef ref{&batch, &delta};
    if (blocked_.contains(delta.key)) {
      plan.parked.push_back(park_delta(ref, std::string(kBehindParked), clock_.wall()));
    } else {
      plan.group.add(ref);
    }
  }
}

void Applier::gap(const Received& received, const Batch& batch, Seq have) {
  if (!received.at_tail) return;
  OriginState& state = origins_[received.origin];
  const Micros now = clock_.monotonic();
  if (!state.missing_since) state.missing_since = now;
  // A heartbeat is only sent when everything before it was confirmed.
  if (batch.heartbeat() || now - *state.missing_since > settings_.gap_patience) {
    stop_at_gap(received, batch, have);
  }
}

void Applier::stop_at_gap(const Received& received, const Batch& batch, Seq have) {
  OriginState& state = origins_[received.origin];
  state.stopped = true;
  state.missing_since.reset();
  if (!received.from_start && !state.started_over) {
    // The stored offset may belong to a log that was deleted and made again: seqs decide.
    state.started_over = true;
    state.retry_at = clock_.monotonic();
    return;
  }
  state.retry_at = clock_.monotonic() + settings_.gap_retry;
  log::error(
      "gap in the changelog: this origin is stopped, the others go on. Restore the missing "
      "batches to the changelog, or bring this replica up from another region",
      {{"origin", received.origin.value},
       {"actor", batch.actor.hex()},
       {"have_seq", have.value},
       {"next_first_seq", batch.first_seq.value}});
  metrics_
      .gauge("tributary_consumer_stopped", "1 while the origin is stopped at a gap",
             {{"origin", received.origin.value}})
      .set(1);
  metrics_
      .counter("tributary_consumer_gaps_total", "Gaps found in the origin's changelog",
               {{"origin", received.origin.value}})
      .add(1);
}

void Applier::retry_stopped() {
  for (auto& [origin, state] : origins_) {
    if (!state.stopped || clock_.monotonic() < state.retry_at) continue;
    state.stopped = false;
    inbox_.restart(origin, std::nullopt);
  }
}

// ---- committing ----------------------------------------------------------------------------

Result<Millis> Applier::apply(std::vector<Received> received) {
  Plan plan;
  plan.received = std::move(received);
  plan.watermark = watermark_;
  for (const Received& each : plan.received) plan_message(plan, each);
  TRIBUTARY_TRY(commit(plan));
  committed(plan);
  TRIBUTARY_TRY(prune());
  return Millis{0};
}

Result<void> Applier::commit(Plan& plan) {
  for (int attempt = 1;; ++attempt) {
    auto done = join_and_commit(plan);
    if (done) return {};
    if (done.error().kind != ErrorKind::kConflict || attempt == kCommitAttempts) return done;
    conflicts_.add(1);
    TRIBUTARY_ASSIGN(const bool again, resolve_conflict(plan));
    if (!again) return done;
  }
}

Result<void> Applier::join_and_commit(Plan& plan) {
  TRIBUTARY_TRY(plan.group.load(*store_));
  plan.group.join(watermark_);
  park_refused(plan);
  std::vector<WatermarkStep> steps;
  for (const auto& [actor, step] : plan.steps) steps.push_back(step);
  const std::vector<std::pair<OriginName, OriginProgress>> progress(plan.progress.begin(),
                                                                    plan.progress.end());
  const ReplicaCommit commit{.steps = steps,
                             .keys = plan.group.commits(),
                             .progress = progress,
                             .parked = plan.parked,
                             .unparked = {},
                             .hlc = plan.hlc};
  return store_->commit(commit);
}

/// True when it is worth trying again; false when the replica itself went back or moved on.
Result<bool> Applier::resolve_conflict(Plan& plan) {
  TRIBUTARY_ASSIGN(const ReplicaProgress now, store_->progress());
  for (const auto& [actor, step] : plan.steps) {
    if (now.watermark.get(actor) != step.from) return false;
  }
  const auto views = plan.group.views();
  if (!views.empty()) {
    TRIBUTARY_ASSIGN(const auto foreign, store_->foreign_views(views));
    plan.group.refuse_keys(foreign);
  }
  return true;
}

void Applier::park_refused(Plan& plan) {
  for (const Refused& refused : plan.group.refused()) {
    Parked parked = park_delta(refused.ref, refused.reason, clock_.wall());
    const bool known = std::any_of(plan.parked.begin(), plan.parked.end(),
                                   [&](const Parked& each) { return each.id == parked.id; });
    if (!known) plan.parked.push_back(std::move(parked));
  }
}

void Applier::committed(const Plan& plan) {
  backoff_.reset();
  watermark_ = plan.watermark;
  for (const auto& [origin, progress] : plan.progress) {
    const OriginState& before = origins_[origin];
    if (!before.stopped) {
      metrics_
          .gauge("tributary_consumer_stopped", "1 while the origin is stopped at a gap",
                 {{"origin", origin.value}})
          .set(0);
    }
    origins_[origin].progress = progress;
    metrics_
        .gauge("tributary_consumer_applied_seq", "Watermark of the origin's current actor",
               {{"origin", origin.value}})
        .set(static_cast<double>(watermark_.get(progress.actor).value));
    metrics_
        .gauge("tributary_consumer_lag_changes",
               "Changes sealed, by the last message read, and not yet applied",
               {{"origin", origin.value}})
        .set(static_cast<double>(progress.head_seq.value - watermark_.get(progress.actor).value));
  }
  for (const Parked& parked : plan.parked) {
    if (!parked.key.empty()) blocked_.insert(parked.key);
    log::warn("parked", {{"id", parked.id}, {"reason", parked.reason}});
  }
  if (!plan.parked.empty()) {
    metrics_.counter("tributary_consumer_parked_total", "Changes and messages ever set aside", {})
        .add(static_cast<double>(plan.parked.size()));
  }
  metrics_
      .counter("tributary_consumer_applied_changes_total", "Changes joined into the replica", {})
      .add(static_cast<double>(plan.changes));
  metrics_
      .counter("tributary_consumer_applied_batches_total", "Batches joined into the replica", {})
      .add(static_cast<double>(plan.batches));
  deferring_ = deferring_ || plan.group.any_deferring();
}

Result<void> Applier::prune() {
  if (clock_.monotonic() < prune_at_) return {};
  prune_at_ = clock_.monotonic() + settings_.prune_interval;
  if (!blocked_.empty()) TRIBUTARY_TRY(refresh_blocked());
  if (!deferring_) return {};
  TRIBUTARY_ASSIGN(deferring_, prune_deferred(*store_, watermark_));
  return {};
}

}  // namespace tributary

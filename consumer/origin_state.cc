#include "consumer/origin_state.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace tributary {
namespace {

/// Reading a whole log again without a reason is a burden on its broker.
constexpr Micros kStartOverAgain = std::chrono::hours(1);
constexpr std::size_t kActorsTold = 1000;

std::uint64_t distance(Seq from, Seq to) { return to > from ? to.value - from.value : 0; }

}  // namespace

OriginState::OriginState(OriginName name, const ConsumerSettings& settings, Clock& clock,
                         Metrics& metrics)
    : name_(std::move(name)),
      settings_(settings),
      clock_(clock),
      metrics_(metrics),
      lag_(metrics.gauge("tributary_consumer_lag_changes",
                         "Changes sealed, by what the origin told last, and not yet applied",
                         {{"origin", name_.value}})),
      applied_(metrics.gauge("tributary_consumer_applied_seq",
                             "Watermark of the origin's current actor", {{"origin", name_.value}})),
      stopped_gauge_(metrics.gauge("tributary_consumer_stopped",
                                   "1 while the origin is stopped at a gap",
                                   {{"origin", name_.value}})) {}

void OriginState::open(std::optional<OriginProgress> progress, const VersionVector& watermark) {
  const bool stands = skipped_ && progress && progress->actor == progress_.actor &&
                      progress->offset == progress_.offset &&
                      watermark.get(skipped_->actor) == skipped_->have &&
                      clock_.monotonic() - skipped_->since < kStartOverAgain;
  if (!stands || !skipped_->kept) skipped_.reset();
  else skipped_->upto = *skipped_->kept;
  progress_ = progress.value_or(OriginProgress{});
  seen_ = progress.has_value();
  waits_ = skipped_.has_value();
  missing_since_.reset();
  halted_ = false;
  if (actor_ == ActorId{} && progress) {
    actor_ = progress->actor;
    head_ = progress->head_seq;
  }
}

std::optional<Offset> OriginState::read_after() const {
  if (skipped_) return skipped_->upto;
  return seen_ ? std::optional(progress_.offset) : std::nullopt;
}

void OriginState::hear(const Batch& batch, const Standing& standing) {
  if (standing.retired(batch.actor)) return;
  if (actor_ == batch.actor) {
    head_ = std::max(head_, batch.last_seq);
  } else {
    actor_ = batch.actor;
    head_ = batch.last_seq;
  }
  former_ = batch.former();
}

bool OriginState::missing(const Arrival& received, const Batch& batch, const Admission& gap) {
  const Micros now = clock_.monotonic();
  waits_ = true;
  if (!skipped_) skipped_ = {gap.actor, gap.have, received.offset, now, {}};
  skipped_->upto = std::max(skipped_->upto, received.offset);
  if (!received.at_tail) return false;
  if (!missing_since_) missing_since_ = now;
  // A heartbeat is only sent when everything before it was confirmed.
  if (!batch.heartbeat() && now - *missing_since_ <= settings_.gap_patience) return false;
  if (!received.from_start && (!start_over_at_ || now >= *start_over_at_)) {
    start_over_at_ = now + kStartOverAgain;
    missing_since_.reset();
    skipped_.reset();
    return true;
  }
  if (!at_gap_) stop_at_gap(batch, gap);
  return false;
}

void OriginState::stop_at_gap(const Batch& batch, const Admission& gap) {
  at_gap_ = true;
  stopped_gauge_.set(1);
  log::error(
      "gap in the changelog: this origin is stopped, the others go on. Restore the missing "
      "batches to the changelog, or copy the replica of a region that lacks nothing "
      "(docs/operations.md, \"An origin is stopped at a gap\")",
      {{"origin", name_.value},
       {"actor", gap.actor.hex()},
       {"have_seq", gap.have.value},
       {"missing_up_to_seq", gap.before.value},
       {"next_actor", batch.actor.hex()},
       {"next_first_seq", batch.first_seq.value}});
  metrics_
      .event_count("tributary_consumer_gaps_total", "Gaps found in the origin's changelog",
                   {{"origin", name_.value}})
      .add(1);
}

void OriginState::advanced() {
  waits_ = false;
  skipped_.reset();
  missing_since_.reset();
  start_over_at_.reset();
  if (at_gap_ || forked_) log::info("the origin goes on", {{"origin", name_.value}});
  at_gap_ = forked_ = false;
}

void OriginState::halt() {
  halted_ = true;
  retry_at_ = clock_.monotonic() + settings_.gap_retry;
  stopped_gauge_.set(1);
}

void OriginState::stop_doubtful(const std::string& reason) {
  halt();
  if (std::exchange(doubt_told_, reason) == reason) return;
  log::error("what is known of this origin is damaged: it is stopped, the others go on",
             {{"origin", name_.value}, {"reason", reason}});
}

void OriginState::stop_forked(const std::string& reason) {
  waits_ = true;
  stopped_gauge_.set(1);
  forked_ = true;
  if (std::exchange(fork_told_, reason) == reason) return;
  log::error(
      "the origin goes on from other changes than this region has applied: it is stopped here, the "
      "others go on",
      {{"origin", name_.value}, {"reason", reason}});
}

void OriginState::stop_full(const std::string& reason) {
  halt();
  log::error(
      "too many messages of this origin are parked: it is stopped, the others go on. Look at them "
      "with `tributary parked list`, and discard what is not wanted",
      {{"origin", name_.value}, {"next", reason}});
}

bool OriginState::retries() {
  if (!halted_ || clock_.monotonic() < retry_at_) return false;
  halted_ = false;
  return true;
}

void OriginState::count_void(const Batch& batch) {
  metrics_
      .event_count("tributary_consumer_void_batches_total",
                   "Batches of an actor that another one had followed, behind its final seq, and "
                   "heartbeats of one that followed nobody",
                   {{"origin", name_.value}})
      .add(1);
  if (void_told_.size() >= kActorsTold || !void_told_.insert(batch.actor).second) return;
  log::warn("batches of an actor that is not the origin's are void, and skipped",
            {{"origin", name_.value},
             {"actor", batch.actor.hex()},
             {"first_seq", batch.first_seq.value},
             {"last_seq", batch.last_seq.value}});
}

void OriginState::count_fork(const Batch& batch) {
  metrics_
      .event_count("tributary_consumer_forked_batches_total",
                   "Batches with the seqs of others that were applied before",
                   {{"origin", name_.value}})
      .add(1);
  if (forks_told_.size() >= kActorsTold || !forks_told_.insert(batch.actor).second) return;
  log::error(
      "a batch with the seqs of another that was applied before is skipped: the origin's database "
      "was put back to an earlier state, or two relays publish for it",
      {{"origin", name_.value},
       {"actor", batch.actor.hex()},
       {"first_seq", batch.first_seq.value},
       {"last_seq", batch.last_seq.value}});
}

bool OriginState::first_refused(ActorId actor) {
  return refused_.size() < kActorsTold && refused_.insert(actor).second;
}

void OriginState::show(const VersionVector& watermark) {
  std::uint64_t lag = distance(watermark.get(actor_), head_);
  for (const FormerActor& each : former_) {
    lag += distance(watermark.get(each.actor), each.final_seq);
  }
  lag_.set(static_cast<double>(lag));
  applied_.set(static_cast<double>(watermark.get(progress_.actor).value));
  if (!at_gap_ && !forked_ && !halted_) stopped_gauge_.set(0);
}

}  // namespace tributary

#include "consumer/upkeep.h"

#include <algorithm>

#include "consumer/retry.h"

namespace tributary {
namespace {

constexpr Millis kScrubInterval{100};
constexpr Millis kCountInterval{5000};
constexpr Millis kFittingInterval{1000};
constexpr Millis kFittingRarely{60'000};

}  // namespace

Upkeep::Upkeep(const ConsumerSettings& settings, Clock& clock, Metrics& metrics, Parking& parking)
    : settings_(settings),
      clock_(clock),
      parking_(parking),
      parked_(metrics.gauge("tributary_consumer_parked",
                            "Changes and messages set aside, and keys to be rebuilt", {})),
      scrub_(metrics),
      pruning_(settings.retired, clock) {}

Result<void> Upkeep::open(ReplicaStore& store, KnownReplica& known,
                          std::span<const std::string> unfinished) {
  deferring_ = true;  // perhaps: the first pruning tells
  retried_to_ = "";
  scrub_.restart();
  progress_check_.restart();
  count_at_ = Micros{0};
  token_at_ = clock_.monotonic() + settings_.token_interval;
  return finish_commits(store, known, unfinished);
}

bool Upkeep::due(Micros& next, Micros interval) const {
  const Micros now = clock_.monotonic();
  if (now < next) return false;
  next = now + interval;
  return true;
}

Result<void> Upkeep::step(ReplicaStore& store, KnownReplica& known,
                          const std::map<OriginName, OriginState>& origins, bool idle) {
  if (idle && due(token_at_, settings_.token_interval)) {
    TRIBUTARY_TRY(check_token(store, known));
  }
  if (deferring_ && due(prune_at_, settings_.prune_interval)) {
    TRIBUTARY_ASSIGN(deferring_, pruning_.step(store, known, origins));
  }
  if (due(count_at_, kCountInterval)) {
    TRIBUTARY_TRY(progress_check_.step(store, known, origins));
    TRIBUTARY_ASSIGN(const std::uint64_t parked, parking_.count(store));
    parked_.set(static_cast<double>(parked));
    deferring_ = true;  // perhaps: a retry or a rebuild, in another session, has left some
  }
  if (retried_to_) TRIBUTARY_TRY(retry_after_upgrade(store));
  if (parking_.changed()) {
    fitting_pause_ = kFittingInterval;
    fitting_at_ = std::min(fitting_at_, clock_.monotonic() + fitting_pause_);
  }
  if (due(fitting_at_, kFittingInterval)) TRIBUTARY_TRY(retry_after_roll_out(store));
  const std::size_t keys = settings_.scrub_keys_per_second;
  if (keys > 0 && due(scrub_at_, kScrubInterval)) {
    TRIBUTARY_TRY(scrub_.step(store, known, settings_.schema, std::max<std::size_t>(1, keys / 10)));
  }
  return {};
}

Result<void> Upkeep::retry_after_upgrade(ReplicaStore& store) {
  TRIBUTARY_ASSIGN(std::string next, retry_known_types(store, settings_.schema, *retried_to_));
  if (next.empty()) retried_to_.reset();
  else retried_to_ = std::move(next);
  return {};
}

/// What came before this consumer's file knew the type of its keys. Rounds that find nothing to do
/// come more and more rarely: what stands beside keys may be much, and stay for ever.
Result<void> Upkeep::retry_after_roll_out(ReplicaStore& store) {
  TRIBUTARY_ASSIGN(FittingStep step, retry_fitting_types(store, settings_.schema, fitting_to_));
  fitting_to_ = std::move(step.next);
  if (step.retried) {
    fitting_pause_ = kFittingInterval;
    fitting_at_ = clock_.monotonic() + kScrubInterval;
  } else if (fitting_to_.empty()) {
    fitting_at_ = clock_.monotonic() + fitting_pause_;
    fitting_pause_ = std::min(2 * fitting_pause_, kFittingRarely);
  }
  return {};
}

}  // namespace tributary

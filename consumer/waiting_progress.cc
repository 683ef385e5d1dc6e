#include "consumer/waiting_progress.h"

#include <algorithm>

namespace tributary {
namespace {

constexpr std::size_t kManyHeartbeats = 1000;

}  // namespace

void WaitingProgress::add(const Plan& plan, Micros now) {
  if (origins_.empty()) since_ = now;
  for (const auto& [origin, progress] : plan.progress) origins_[origin] = {progress, now};
  for (const Arrival& each : plan.received) {
    if (each.batch && each.batch->heartbeat()) ++heartbeats_;
    else others_ = true;
  }
}

void WaitingProgress::clear() {
  origins_.clear();
  heartbeats_ = 0;
  others_ = false;
}

bool WaitingProgress::due(Micros now) const {
  if (origins_.empty()) return false;
  const bool much = others_ || heartbeats_ > kManyHeartbeats;
  if (now - since_ >= (much ? settings_.skipped_commit : settings_.heartbeat_commit)) return true;
  return std::ranges::any_of(origins_, [&](const auto& origin) {
    return now - origin.second.heard >= settings_.heartbeat_silence;
  });
}

void WaitingProgress::add_to(Plan& plan) const {
  for (const auto& [origin, waiting] : origins_) plan.progress.emplace(origin, waiting.progress);
}

}  // namespace tributary

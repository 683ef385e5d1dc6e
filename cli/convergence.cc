#include "cli/convergence.h"

#include <algorithm>
#include <set>

#include "cli/reasons.h"

namespace tributary::cli {
namespace {

double seconds_between(Micros then, Micros now) {
  return std::max(0.0, static_cast<double>((now - then).count()) / 1e6);
}

void raise(Seq& seq, Seq to) { seq = std::max(seq, to); }

void end(ActorTarget& target, Seq final_seq) {
  raise(target.target, final_seq);
  target.final_seq = std::max(target.final_seq.value_or(Seq{}), final_seq);
}

void add_origin(ActorTargets& targets, const OriginFacts& origin) {
  if (!origin.outbox) return;
  if (origin.outbox->actor) {
    ActorTarget& target = targets[*origin.outbox->actor];
    target.origin = origin.name;
    target.current = true;
    raise(target.target, origin.outbox->head_seq);
  }
  for (const FormerActor& former : origin.outbox->former) {
    ActorTarget& target = targets[former.actor];
    target.origin = origin.name;
    end(target, former.final_seq);
  }
}

void add_replica(ActorTargets& targets, const ReplicaProgress& progress) {
  for (const auto& [actor, seq] : progress.watermark) raise(targets[actor].target, seq);
  for (const auto& [actor, record] : progress.actors) {
    ActorTarget& target = targets[actor];
    if (target.origin.empty()) target.origin = record.origin.value;
    if (record.final_seq) end(target, *record.final_seq);
  }
  for (const auto& [origin, known] : progress.origins) {
    if (known.actor == ActorId{}) continue;
    ActorTarget& target = targets[known.actor];
    if (target.origin.empty()) target.origin = origin.value;
    raise(target.target, known.head_seq);
  }
}

/// What stands at the stream's end is obeyed by regions, unless it speaks for another origin's
/// actor, or in the name of a new one that follows none of the origin's.
bool obeyed(const ActorTargets& targets, const std::string& origin, const StreamEnd& end) {
  const auto of_origin = [&](ActorId actor) {
    const auto known = targets.find(actor);
    return known != targets.end() && known->second.origin == origin;
  };
  if (of_origin(end.actor)) return true;
  if (targets.contains(end.actor)) return false;
  const auto follows = [&](const FormerActor& former) { return of_origin(former.actor); };
  return std::ranges::any_of(end.former, follows) ||
         std::ranges::none_of(targets, [&](const auto& each) { return of_origin(each.first); });
}

void add_stream(ActorTargets& targets, const OriginFacts& origin) {
  if (!origin.stream_end || !obeyed(targets, origin.name, *origin.stream_end)) return;
  const auto target_of = [&](ActorId actor) -> ActorTarget& {
    ActorTarget& target = targets[actor];
    if (target.origin.empty()) target.origin = origin.name;
    return target;
  };
  raise(target_of(origin.stream_end->actor).target, origin.stream_end->head);
  for (const FormerActor& former : origin.stream_end->former) {
    end(target_of(former.actor), former.final_seq);
  }
}

/// The most that a region holds of it.
Seq held(const SystemFacts& facts, ActorId actor) {
  Seq most;
  for (const RegionFacts& region : facts.regions) {
    if (region.replica) raise(most, region.replica->progress.watermark.get(actor));
  }
  return most;
}

/// Progress with `name`; `origin` is its part of the topology, null when it has none.
Lag lag_of(const SystemFacts& facts, const ActorTargets& targets, const ReplicaProgress& progress,
           const std::string& name, const OriginFacts* origin) {
  Lag lag{.origin = name,
          .in_topology = origin != nullptr,
          .lag_changes = {},
          .lag_seconds = {},
          .missing = {}};
  const OutboxStatus* outbox = origin != nullptr && origin->outbox ? &*origin->outbox : nullptr;
  const auto heard = progress.origins.find(OriginName{name});
  const bool silent = heard == progress.origins.end() || heard->second.hlc == Hlc{};
  if (outbox != nullptr && outbox->actor) {
    lag.applied_seq = progress.watermark.get(*outbox->actor).value;
  } else if (heard != progress.origins.end()) {
    lag.applied_seq = progress.watermark.get(heard->second.actor).value;
  }
  std::uint64_t changes = 0;
  for (const auto& [actor, target] : targets) {
    const Seq here = progress.watermark.get(actor);
    if (target.origin != name || here >= target.target) continue;
    changes += lag.missing[actor] = target.target.value - here.value;
  }
  if (origin != nullptr && !origin->retired && outbox == nullptr) return lag;
  lag.lag_changes = changes;
  lag.lag_seconds = 0;
  if (changes > 0 && silent) lag.lag_seconds.reset();
  if (changes > 0 && !silent) {
    const Micros then{static_cast<std::int64_t>(heard->second.hlc.micros())};
    lag.lag_seconds = seconds_between(then, facts.now);
  }
  if (outbox != nullptr && outbox->depth > 0 && outbox->oldest > Micros{0} && lag.lag_seconds) {
    lag.lag_seconds = std::max(*lag.lag_seconds, seconds_between(outbox->oldest, facts.now));
  }
  return lag;
}

}  // namespace

ActorTargets targets_of(const SystemFacts& facts) {
  ActorTargets targets;
  for (const OriginFacts& origin : facts.origins) add_origin(targets, origin);
  for (const RegionFacts& region : facts.regions) {
    if (region.replica) add_replica(targets, region.replica->progress);
  }
  for (const OriginFacts& origin : facts.origins) add_stream(targets, origin);
  for (auto& [actor, target] : targets) {
    if (target.final_seq) target.target = std::max(*target.final_seq, held(facts, actor));
  }
  return targets;
}

std::vector<Lag> lags_of(const SystemFacts& facts, const ActorTargets& targets,
                         const RegionFacts& region) {
  std::vector<Lag> lags;
  if (!region.replica) return lags;
  const ReplicaProgress& progress = region.replica->progress;
  std::set<std::string> others;
  for (const auto& [actor, target] : targets) others.insert(target.origin);
  // Heard of, though nothing of it could be applied; or its actor is another's elsewhere.
  for (const auto& [name, known] : progress.origins) others.insert(name.value);
  for (const auto& [actor, record] : progress.actors) others.insert(record.origin.value);
  for (const OriginFacts& origin : facts.origins) {
    lags.push_back(lag_of(facts, targets, progress, origin.name, &origin));
    others.erase(origin.name);
  }
  for (const std::string& name : others) {
    lags.push_back(lag_of(facts, targets, progress, name, nullptr));
  }
  return lags;
}

StatusReport judge(SystemFacts facts) {
  StatusReport report;
  const ActorTargets targets = targets_of(facts);
  for (const RegionFacts& region : facts.regions) {
    report.lags.push_back(lags_of(facts, targets, region));
    report.all_reached &= region.replica.has_value();
  }
  for (const OriginFacts& origin : facts.origins) {
    report.all_reached &=
        origin.retired || (origin.outbox.has_value() && origin.stream_problem.empty());
  }
  report.reasons = reasons_of(facts, targets, report.lags);
  report.warnings = warnings_of(facts, report.lags);
  report.facts = std::move(facts);
  return report;
}

std::vector<std::string> outrun_origins(const SystemFacts& facts) {
  std::vector<std::string> outrun;
  for (const OriginFacts& origin : facts.origins) {
    if (!origin.outbox || !origin.outbox->actor) continue;
    const ActorId actor = *origin.outbox->actor;
    const Seq head = origin.outbox->head_seq;
    const auto ahead = [&](const RegionFacts& region) {
      return region.replica && region.replica->progress.watermark.get(actor) > head;
    };
    const bool published =
        origin.stream_end && origin.stream_end->actor == actor && origin.stream_end->head > head;
    if (published || std::ranges::any_of(facts.regions, ahead)) outrun.push_back(origin.name);
  }
  return outrun;
}

}  // namespace tributary::cli

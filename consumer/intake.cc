#include "consumer/intake.h"

#include <algorithm>

#include "base/log.h"

namespace tributary {
namespace {

using Kind = Admission::Kind;

constexpr std::string_view kForged =
    "its context claims changes that nobody can have made yet; it is not obeyed";

void tell_succession(const OriginName& origin, const Batch& batch, const Admission& admission) {
  if (admission.beyond_final) {
    log::error(
        "changes of a former actor behind its final seq had already been applied here: this region "
        "differs from those that read them later. Bring this replica up from another region",
        {{"origin", origin.value},
         {"former_actor", batch.predecessor->actor.hex()},
         {"final_seq", batch.predecessor->final_seq.value}});
  }
}

}  // namespace

Result<void> Intake::plan(ReplicaStore& store, Plan& plan) {
  for (const Arrival& each : plan.received) TRIBUTARY_TRY(plan_message(store, plan, each));
  return {};
}

Result<void> Intake::plan_message(ReplicaStore& store, Plan& plan, const Arrival& received) {
  if (origins_.at(received.origin).halted()) return {};
  if (!received.batch) return park(store, plan, received, received.batch.error().message);
  const Batch& batch = *received.batch;
  if (batch.origin == received.origin) return plan_batch(store, plan, received, batch);
  return park(store, plan, received, "it belongs to origin \"" + batch.origin.value + "\"");
}

Result<void> Intake::park(ReplicaStore& store, Plan& plan, const Arrival& received,
                          std::string reason) {
  TRIBUTARY_ASSIGN(const Parking::Room room, parking_.room_for(store, received));
  if (room == Parking::Room::kFull) {
    origins_.at(received.origin).stop_full(reason);
    read_ahead_.suspend(received.origin);  // it will be read again from here on
    return {};
  }
  // Whoever reads a log again must not commit for that: another consumer of the region would take
  // it for a change, start again, and so forth.
  if (room == Parking::Room::kKept) {
    move_on(plan, received);
    return {};
  }
  log::warn(
      "a message is parked",
      {{"origin", received.origin.value}, {"offset", received.offset.value}, {"reason", reason}});
  plan.messages.push_back(Parking::message(received, std::move(reason), clock_.wall()));
  move_on(plan, received);
  return {};
}

Result<void> Intake::plan_batch(ReplicaStore& store, Plan& plan, const Arrival& received,
                                const Batch& batch) {
  OriginState& state = origins_.at(received.origin);
  const auto planned = plan.progress.find(received.origin);
  const OriginProgress& so_far =
      planned == plan.progress.end() ? state.progress() : planned->second;
  const std::vector<VersionVector> forged =
      forged_contexts(batch, plan.standing.watermark(), heads_);
  const Admission admission =
      admit(plan.standing, received.origin, {so_far.actor, so_far.history}, batch);
  if (admission.kind == Kind::kPark) {
    // Of heartbeats that come on and on, one is kept: they carry no changes.
    if (!batch.heartbeat() || state.first_refused(batch.actor)) {
      return park(store, plan, received, admission.reason);
    }
    move_on(plan, received);
    return {};
  }
  if (admission.kind == Kind::kStop) {
    state.stop_doubtful(admission.reason);
    read_ahead_.suspend(received.origin);
    return {};
  }
  if (admission.kind == Kind::kFork) {
    state.stop_forked(admission.reason);
    move_on(plan, received);
    return {};
  }
  if (admission.kind == Kind::kVoid) {
    state.count_void(batch);
    move_on(plan, received);
    return {};
  }
  state.hear(batch, plan.standing);
  heads_.raise(batch.actor, batch.last_seq);
  if (admission.kind == Kind::kGap) {
    if (state.missing(received, batch, admission)) {
      read_ahead_.restart(received.origin, std::nullopt);
    }
    move_on(plan, received, &batch, admission.history);
    return {};
  }
  if (admission.differs) state.count_fork(batch);
  tell_succession(received.origin, batch, admission);
  const Seq have = plan.standing.watermark().get(batch.actor);
  const bool fits = batch.heartbeat() && batch.last_seq == have && state.forked();
  if (admission.kind == Kind::kApply || fits) state.advanced();
  if (admission.kind == Kind::kApply) {
    plan.hlc = std::max(plan.hlc, batch.hlc);
    plan.changes += batch.last_seq.value - batch.first_seq.value + 1;
    plan.batches += 1;
    for (const Delta& delta : batch.deltas) {
      const DeltaRef ref{&batch, &delta};
      if (names_forged(delta, batch.actor, forged))
        plan.group.add_beside(ref, std::string(kForged));
      else plan.group.add(ref);
    }
  }
  move_on(plan, received, &batch, admission.history);
  return {};
}

/// Progress after a message. While changes are missing, the offset stays where they may still be
/// behind; the head that the origin tells is known all the same. `batch`: absent, the message says
/// nothing; `history`: of its actor, up to the watermark.
void Intake::move_on(Plan& plan, const Arrival& received, const Batch* batch,
                     HistoryDigest history) {
  const OriginState& state = origins_.at(received.origin);
  const auto planned = plan.progress.find(received.origin);
  OriginProgress next = planned == plan.progress.end() ? state.progress() : planned->second;
  if (!state.waits()) next.offset = received.offset;
  if (batch != nullptr && !plan.standing.retired(batch->actor)) {
    const bool holds = batch->last_seq <= plan.standing.watermark().get(batch->actor);
    if (holds) next.hlc = std::max(next.hlc, batch->hlc);
    if (next.actor == batch->actor) {
      plan.heads = plan.heads || next.head_seq < batch->last_seq;
      next.head_seq = std::max(next.head_seq, batch->last_seq);
      if (holds && history.known()) next.history = history;
    } else if (holds && plan.standing.find(batch->actor) != nullptr) {  // else not taken over yet
      next.actor = batch->actor;
      next.head_seq = batch->last_seq;
      next.history = history;
      plan.heads = true;
    }
  }
  if (planned != plan.progress.end() || next != state.progress()) {
    plan.progress[received.origin] = next;
  }
}

}  // namespace tributary

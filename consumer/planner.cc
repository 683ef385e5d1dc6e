#include "consumer/planner.h"

#include <algorithm>
#include <span>

#include <tributary/crdt/type.h>

namespace tributary {
namespace {

using Kind = Admission::Kind;

Admission parked(const OriginName& origin, ActorId actor, const OriginName& owner) {
  return {.kind = Kind::kPark,
          .reason = "actor " + actor.hex() + " belongs to origin \"" + owner.value +
                    "\" here; nothing that the changelog of \"" + origin.value +
                    "\" says in its name is obeyed"};
}

Admission gap(ActorId actor, Seq have, Seq before) {
  return {.kind = Kind::kGap, .reason = {}, .actor = actor, .have = have, .before = before};
}

/// This replica, and what comes now, go by different changes with the same seqs.
Admission forked(const OriginName& origin, ActorId actor, Seq seq) {
  return {.kind = Kind::kFork,
          .reason = "this region applied other changes of actor " + actor.hex() + " up to seq " +
                    std::to_string(seq.value) + " than those that origin \"" + origin.value +
                    "\" goes on from: its database was put back to an earlier state, and the "
                    "same numbers were given twice. Where both are wanted, write again what only "
                    "this region shows; then copy the replica of a region that goes on "
                    "(docs/operations.md, \"Regions hold different changes\")"};
}

/// The predecessor's turn is over.
void retire_former(Standing& standing, const OriginName& origin, const FormerActor& former,
                   Admission& admission) {
  if (standing.retired(former.actor)) return;
  standing.record(former.actor, {origin, former.final_seq});
  admission.beyond_final |= standing.watermark().get(former.actor) > former.final_seq;
}

void take_over(Standing& standing, const OriginName& origin, const Batch& batch,
               std::span<const FormerActor> former, Admission& admission) {
  for (const FormerActor& each : former) retire_former(standing, origin, each, admission);
  if (standing.find(batch.actor) == nullptr) standing.record(batch.actor, {origin, std::nullopt});
}

/// A new actor that says nothing of the one that is the origin's here.
bool intrudes(const Standing& standing, const OriginName& origin, ActorId current,
              const Batch& batch, std::span<const FormerActor> former) {
  if (current == batch.actor || standing.find(batch.actor) != nullptr) return false;
  const ActorRecord* live = standing.find(current);
  return live != nullptr && live->origin == origin && !names(former, current);
}

Admission unnamed(const OriginName& origin, ActorId current, const Batch& batch) {
  return {.kind = Kind::kPark,
          .reason = "actor " + batch.actor.hex() + " is new here and does not name actor " +
                    current.hex() + ", which is the one of origin \"" + origin.value +
                    "\": what takes over without naming it is not obeyed"};
}

}  // namespace

const ActorRecord* Standing::find(ActorId actor) const {
  if (const auto changed = changed_.find(actor); changed != changed_.end()) return &changed->second;
  const auto known = known_->find(actor);
  return known == known_->end() ? nullptr : &known->second;
}

const OriginName* Standing::owner(ActorId actor) const {
  if (const ActorRecord* record = find(actor)) return &record->origin;
  const auto made =
      std::ranges::find_if(*origins_, [&](const auto& origin) { return actor.made_for(origin); });
  return made == origins_->end() ? nullptr : &*made;
}

bool Standing::retired(ActorId actor) const {
  const ActorRecord* record = find(actor);
  return record != nullptr && record->final_seq.has_value();
}

const std::string* Standing::doubt(ActorId actor) const {
  if (doubtful_ == nullptr) return nullptr;
  const auto found = doubtful_->find(actor);
  return found == doubtful_->end() ? nullptr : &found->second;
}

Admission admit(Standing& standing, const OriginName& origin, const CurrentActor& current,
                const Batch& batch) {
  const OriginName* speaks = standing.owner(batch.actor);
  if (speaks != nullptr && *speaks != origin) return parked(origin, batch.actor, *speaks);
  if (const std::string* why = standing.doubt(batch.actor)) return {Kind::kStop, *why};
  const ActorRecord* own = standing.find(batch.actor);
  if (own != nullptr && own->final_seq && batch.last_seq > *own->final_seq) {
    return {.kind = Kind::kVoid};
  }
  const std::vector<FormerActor> former = batch.former();
  for (const auto& [actor, final_seq] : former) {
    const OriginName* owner = standing.owner(actor);
    if (owner != nullptr && *owner != origin) return parked(origin, actor, *owner);
    if (const std::string* why = standing.doubt(actor)) return {Kind::kStop, *why};
    const Seq have = standing.watermark().get(actor);
    if (have < final_seq) return gap(actor, have, final_seq);
  }
  if (intrudes(standing, origin, current.actor, batch, former)) {
    if (batch.heartbeat()) return {.kind = Kind::kVoid};
    return unnamed(origin, current.actor, batch);
  }
  const Seq applied = standing.watermark().get(current.actor);
  if (batch.contradicts(current.actor, applied, current.history)) {
    return forked(origin, current.actor, applied);
  }
  const Seq have = standing.watermark().get(batch.actor);
  const bool overlaps = batch.first_seq < have.next() && batch.last_seq > have;
  if (batch.first_seq > have.next() || overlaps) {
    return gap(batch.actor, have, Seq{batch.first_seq.value - 1});
  }
  Admission admission;
  take_over(standing, origin, batch, former, admission);
  if (batch.actor == current.actor) admission.history = current.history;
  if (batch.last_seq <= have) {
    if (batch.last_seq < have) return admission;
    admission.differs = admission.history.contradicts(batch.history);
    if (!admission.history.known()) admission.history = batch.history;
    return admission;
  }
  admission.kind = Kind::kApply;
  admission.history = batch.history;
  standing.raise(batch.actor, batch.last_seq);
  return admission;
}

std::vector<VersionVector> forged_contexts(const Batch& batch, const VersionVector& watermark,
                                           const VersionVector& heads) {
  std::vector<VersionVector> forged;
  for (std::size_t i = 0; i < batch.contexts.size(); ++i) {
    for (const auto& [actor, seq] : batch.contexts[i]) {
      if (seq.value <= kMostAhead) continue;
      const std::uint64_t known = std::max(watermark.get(actor), heads.get(actor)).value;
      if (seq.value - kMostAhead <= known) continue;
      forged.resize(batch.contexts.size());
      forged[i].raise(actor, seq);
    }
  }
  return forged;
}

/// What a join onto nothing defers is what it would obey of these contexts.
bool names_forged(const Delta& delta, ActorId actor, const std::vector<VersionVector>& forged) {
  if (forged.empty()) return false;
  const crdt::Type* type = delta.type.known;
  if (type == nullptr || !type->defers) return false;
  const crdt::DeltaBounds any{Seq{1}, Seq{~std::uint64_t{0}}, Hlc{~std::uint64_t{0}},
                              forged.size()};
  if (!type->touched(delta.body, any)) return false;  // refused for that
  const VersionVector nothing;
  crdt::State state;
  state.set_complete();
  crdt::ViewEdits edits;
  return type->join(delta.body, {actor, delta.last_seq, forged, &nothing}, state, edits).deferring;
}

}  // namespace tributary

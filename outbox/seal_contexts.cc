#include <algorithm>

#include <tributary/outbox/seal_contexts.h>

namespace tributary {
namespace {

/// Pointwise minimum, for the actors that `limit` names.
void lower_to(VersionVector& context, const std::map<ActorId, Seq>& limit) {
  for (const auto& [actor, seq] : limit) {
    if (context.get(actor) <= seq) continue;
    context.erase(actor);
    context.raise(actor, seq);
  }
}

}  // namespace

const SealedContext* SealContexts::of(const OutboxRow& row) {
  const auto lowered = rules_.lowered.empty() ? rules_.lowered.end() : rules_.lowered.find(row.key);
  const std::map<ActorId, Seq>* limit =
      lowered == rules_.lowered.end() ? nullptr : &lowered->second;
  const std::tuple name{limit == nullptr ? std::string_view{} : row.key, row.exact, row.context};
  auto known = known_.find(name);
  if (known == known_.end()) known = known_.emplace(name, make(row, limit)).first;
  return known->second ? &*known->second : nullptr;
}

std::optional<SealedContext> SealContexts::make(const OutboxRow& row,
                                                const std::map<ActorId, Seq>* limit) {
  SealedContext sealed;
  if (!row.context.empty()) {
    auto context = VersionVector::from_bytes(row.context);
    if (!context) return std::nullopt;
    sealed.others = std::move(*context);
  }
  if (row.exact) sealed.own = sealed.others.get(own_);
  sealed.others.erase(own_);
  if (row.exact) cap(sealed.others);
  else {
    for (const FormerActor& former : rules_.former) {
      sealed.others.raise(former.actor, former.final_seq);
    }
  }
  if (limit != nullptr) lower_to(sealed.others, *limit);
  sealed.bytes = sealed.others.bytes().size();
  return sealed;
}

/// A claim to have seen what the region has not applied removes no more than it has: too old is
/// always safe, too new would remove what nobody has written yet.
void SealContexts::cap(VersionVector& context) {
  VersionVector most = rules_.applied;
  for (const FormerActor& former : rules_.former) most.raise(former.actor, former.final_seq);
  VersionVector within;
  for (const auto& [actor, seq] : context) within.raise(actor, std::min(seq, most.get(actor)));
  if (within == context) return;
  ++capped_;
  context = std::move(within);
}

}  // namespace tributary

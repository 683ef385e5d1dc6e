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

SealContexts::SealContexts(ActorId own, const SealRules& rules)
    : own_(own), rules_(rules), known_seqs_(rules.known) {
  for (const FormerActor& former : rules.former) {
    known_seqs_.raise(former.actor, former.final_seq);
  }
}

const JudgedContext& SealContexts::of(const OutboxRow& row) {
  const auto lowered = rules_.lowered.empty() ? rules_.lowered.end() : rules_.lowered.find(row.key);
  const std::map<ActorId, Seq>* limit =
      lowered == rules_.lowered.end() ? nullptr : &lowered->second;
  const std::tuple name{limit == nullptr ? std::string_view{} : row.key, row.exact, row.context};
  auto known = known_.find(name);
  if (known == known_.end()) known = known_.emplace(name, make(row, limit)).first;
  return known->second;
}

JudgedContext SealContexts::make(const OutboxRow& row, const std::map<ActorId, Seq>* limit) {
  SealedContext sealed;
  if (!row.context.empty()) {
    auto context = VersionVector::from_bytes(row.context);
    if (!context) return tl::unexpected<std::string>("its context does not decode");
    sealed.others = std::move(*context);
  }
  if (row.exact) sealed.own = sealed.others.get(own_);
  sealed.others.erase(own_);
  if (row.exact) sealed.capped = cap(sealed.others);
  else {
    if (auto why = beyond(sealed.others); !why.empty()) return tl::unexpected(std::move(why));
  }
  if (limit != nullptr) lower_to(sealed.others, *limit);
  for (const FormerActor& former : rules_.former) {
    if (!row.exact) sealed.others.raise(former.actor, former.final_seq);
  }
  sealed.bytes = sealed.others.bytes().size();
  return sealed;
}

/// Too old is always safe.
bool SealContexts::cap(VersionVector& context) const {
  VersionVector within;
  for (const auto& [actor, seq] : context) {
    within.raise(actor, std::min(seq, known_seqs_.get(actor)));
  }
  if (within == context) return false;
  context = std::move(within);
  return true;
}

/// Why the context was never told to a writer; empty when it may have been.
std::string SealContexts::beyond(const VersionVector& context) const {
  for (const auto& [actor, seq] : context) {
    const Seq known = known_seqs_.get(actor);
    if (seq <= known) continue;
    return "its context claims to have seen change " + std::to_string(seq.value) + " of actor " +
           actor.hex() + ", but this outbox was never told of more than " +
           std::to_string(known.value) + ": write it anew, without hlc, transaction_id and context";
  }
  return {};
}

}  // namespace tributary

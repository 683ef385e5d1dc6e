#include <algorithm>

#include <tributary/outbox/seal_contexts.h>

namespace tributary {
namespace {

const LoweredSeqs* limit_of(const LoweredKeys& keys, std::string_view key) {
  if (keys.empty()) return nullptr;
  const auto found = keys.find(key);
  return found == keys.end() ? nullptr : &found->second;
}

}  // namespace

SealContexts::SealContexts(ActorId own, const SealRules& rules)
    : own_(own), rules_(rules), known_seqs_(rules.known) {
  for (const FormerActor& former : rules.former) {
    known_seqs_.raise(former.actor, former.final_seq);
  }
}

const JudgedContext& SealContexts::of(const OutboxRow& row) {
  const Limits limits = limits_of(row);
  const bool by_key = limits.then != nullptr || limits.now != nullptr;
  const std::tuple name{by_key ? row.key : std::string_view{}, row.exact, row.context};
  auto known = known_.find(name);
  if (known == known_.end()) known = known_.emplace(name, make(row, limits)).first;
  return known->second;
}

SealContexts::Limits SealContexts::limits_of(const OutboxRow& row) {
  Limits limits;
  limits.now = limit_of(rules_.lowered, row.key);
  limits.telling = telling_of(row);
  if (limits.telling != nullptr) limits.then = limit_of(*limits.telling->lowered, row.key);
  return limits;
}

const Tellings::Telling* SealContexts::telling_of(const OutboxRow& row) {
  if (row.exact || rules_.tellings == nullptr || rules_.tellings->size() == 0) return nullptr;
  const auto [entry, fresh] = tellings_.try_emplace(row.context, nullptr);
  if (!fresh) return entry->second;
  if (const auto context = VersionVector::from_bytes(row.context)) {
    entry->second = rules_.tellings->find(context->get(Tellings::kNumber));
  }
  return entry->second;
}

JudgedContext SealContexts::make(const OutboxRow& row, const Limits& limits) {
  SealedContext sealed;
  if (!row.context.empty()) {
    auto context = VersionVector::from_bytes(row.context);
    if (!context) return tl::unexpected<std::string>("its context does not decode");
    sealed.others = std::move(*context);
  }
  if (row.exact) sealed.own = sealed.others.get(own_);
  sealed.others.erase(own_);
  sealed.others.erase(Tellings::kNumber);
  if (row.exact) sealed.capped = cap(sealed.others);
  else {
    if (auto why = beyond(sealed.others); !why.empty()) return tl::unexpected(std::move(why));
    if (limits.telling != nullptr) {
      sealed.others.join(limits.telling->watermark);
      sealed.others.erase(own_);
    }
    if (limits.then != nullptr) sealed.others = lower(std::move(sealed.others), *limits.then);
    for (const FormerActor& former : rules_.former) {
      sealed.others.raise(former.actor, former.final_seq);
    }
  }
  if (limits.now != nullptr) sealed.others = lower(std::move(sealed.others), *limits.now);
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

#include "outbox/batch/context_judge.h"

#include <algorithm>

namespace tributary {
namespace {

std::optional<WriterContext> decode(const OutboxRow& row) {
  if (row.context.empty()) return WriterContext();
  if (!row.exact) return WriterContext::from_bytes(row.context);
  auto token = VersionVector::from_bytes(row.context);
  if (!token) return std::nullopt;
  return WriterContext(std::move(*token));
}

}  // namespace

ContextJudge::ContextJudge(ActorId own, const SealRules& rules)
    : own_(own), rules_(rules), known_seqs_(rules.known) {
  for (const FormerActor& former : rules.former) {
    known_seqs_.raise(former.actor, former.final_seq);
  }
}

ContextJudge::Known& ContextJudge::known_as(const OutboxRow& row) {
  const bool same = last_ != nullptr && last_name_.first == row.exact &&
                    last_name_.second.data() == row.context.data() &&
                    last_name_.second.size() == row.context.size();
  if (same) return *last_;
  last_name_ = {row.exact, row.context};
  const auto [at, fresh] = known_.try_emplace(last_name_);
  last_ = &at->second;
  if (fresh) last_->told = decode(row);
  return *last_;
}

const JudgedContext& ContextJudge::of(const OutboxRow& row) {
  Known& known = known_as(row);
  const bool lowered = known.told && known.told->lowered_for(row.key) != nullptr;
  const std::string_view name = lowered ? row.key : std::string_view();
  const auto judged = known.judged.find(name);
  if (judged != known.judged.end()) return judged->second;
  return known.judged
      .emplace(name, known.told ? make(row, *known.told)
                                : tl::unexpected<std::string>("its context does not decode"))
      .first->second;
}

JudgedContext ContextJudge::make(const OutboxRow& row, const WriterContext& told) const {
  if (!row.exact) {
    VersionVector others = told.watermark();
    others.erase(own_);
    if (auto why = beyond(others); !why.empty()) return tl::unexpected(std::move(why));
  }
  SeenContext sealed;
  sealed.others = told.of(row.key);
  if (row.exact) sealed.own = sealed.others.get(own_);
  sealed.others.erase(own_);
  if (row.exact) sealed.capped = cap(sealed.others);
  else {
    for (const FormerActor& former : rules_.former) {
      sealed.others.raise(former.actor, former.final_seq);
    }
  }
  sealed.bytes = sealed.others.bytes().size();
  return sealed;
}

/// Too old is always safe.
bool ContextJudge::cap(VersionVector& context) const {
  VersionVector within;
  for (const auto& [actor, seq] : context) {
    within.raise(actor, std::min(seq, known_seqs_.get(actor)));
  }
  if (within == context) return false;
  context = std::move(within);
  return true;
}

/// Why the context was never told to a writer; empty when it may have been.
std::string ContextJudge::beyond(const VersionVector& context) const {
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

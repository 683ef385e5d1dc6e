#include "relay/backlog.h"

#include <algorithm>
#include <utility>

namespace tributary {
namespace {

constexpr SealLimit kPage{16, std::size_t{16} << 20};

}  // namespace

Result<void> each_unconfirmed(OutboxStore& store, const std::function<bool(SealedBatch)>& visit) {
  std::int64_t after = 0;
  while (true) {
    TRIBUTARY_ASSIGN(auto page, store.unconfirmed(after, kPage));
    if (page.empty()) return {};
    for (SealedBatch& batch : page) {
      after = batch.position;
      if (!visit(std::move(batch))) return {};
    }
  }
}

Result<Backlog> Backlog::read(OutboxStore& store, const OriginRecord& record) {
  Backlog backlog;
  TRIBUTARY_TRY(each_unconfirmed(store, [&](const SealedBatch& sealed) {
    backlog.entries_.push_back({sealed.position, sealed.actor, sealed.first_seq, sealed.last_seq});
    backlog.ranges_[sealed.actor].emplace(sealed.first_seq, sealed.last_seq);
    backlog.learn(sealed.actor, sealed.last_seq, history_of(sealed.bytes));
    const auto batch = decode_batch(sealed.bytes);
    if (!batch) return true;
    backlog.learn(sealed.actor, Seq{sealed.first_seq.value - 1}, batch->before);
    if (const auto last = batch->last_published()) {
      backlog.tell(sealed.actor, *last, batch->former_history);
    }
    return true;
  }));
  if (!record.actor) return backlog;
  backlog.learn(*record.actor, record.head_seq, record.history);
  if (const auto last = last_published(record.former)) {
    backlog.tell(*record.actor, *last, record.former_history);
  }
  return backlog;
}

void Backlog::tell(ActorId actor, const FormerActor& last, HistoryDigest history) {
  if (history.known()) told_.try_emplace(actor, Told{last, history});
}

Backlog::Verdict Backlog::Witness::of(ActorId actor) const {
  const auto known = verdicts.find(actor);
  return known == verdicts.end() ? Verdict{} : known->second;
}

std::optional<Seq> Backlog::first_behind(ActorId actor, Seq last) const {
  const auto entry = std::ranges::find_if(
      entries_, [&](const Entry& each) { return each.actor == actor && each.last_seq > last; });
  if (entry == entries_.end()) return std::nullopt;
  return std::max(entry->first_seq, last.next());
}

Seq Backlog::proven(ActorId actor) const {
  return std::max({by_own_.of(actor).same, by_others_.of(actor).same, by_log_.of(actor).same});
}

/// The own region's word counts most: relays go on from what it has. Another region may have been
/// left behind with other changes by an earlier fork, which the log then shows.
std::optional<Seq> Backlog::proven_of_fork(ActorId actor) const {
  const Verdict own = by_own_.of(actor);
  const Verdict others = by_others_.of(actor);
  const Verdict log = by_log_.of(actor);
  const Seq applied = std::max(own.same, others.same);
  if (own.other > applied) return applied;
  if (others.other > std::max(applied, log.same)) return applied;
  if (log.other <= applied) return std::nullopt;
  return std::max(applied, std::min(log.same, Seq{log.other.value - 1}));
}

void Backlog::compare(const Batch& published) {
  compare(published.actor, Seq{published.first_seq.value - 1}, published.before, by_log_);
  compare(published.actor, published.last_seq, published.history, by_log_);
  if (const auto last = published.last_published()) {
    compare(last->actor, last->final_seq, published.former_history, by_log_);
  }
}

void Backlog::compare(ActorId actor, Seq seq, HistoryDigest history, Witness& witness) {
  // Whoever goes by an actor goes by what its first message told.
  const auto told = told_.find(actor);
  if (told != told_.end() && witness.goes_by.insert(actor).second) {
    compare(told->second.last.actor, told->second.last.final_seq, told->second.history, witness);
  }
  if (!history.known()) return;
  compare_told(actor, seq, history, witness);
  const auto ours = histories_.find(actor);
  if (ours == histories_.end()) return;
  const auto at = ours->second.find(seq);
  if (at != ours->second.end()) {
    Verdict& verdict = witness.verdicts[actor];
    if (at->second == history) verdict.same = std::max(verdict.same, seq);
    else if (at->second.known()) verdict.other = std::max(verdict.other, seq);
    return;
  }
  const auto ranges = ranges_.find(actor);
  if (ranges == ranges_.end()) return;
  const auto behind = ranges->second.upper_bound(seq);
  if (behind == ranges->second.begin() || std::prev(behind)->second <= seq) return;
  Verdict& verdict = witness.verdicts[actor];  // others cut their batches elsewhere
  verdict.other = std::max(verdict.other, seq);
}

void Backlog::compare_told(ActorId actor, Seq seq, HistoryDigest history, Witness& witness) {
  for (const auto& [successor, told] : told_) {
    if (told.last != FormerActor{actor, seq}) continue;
    if (told.history == history) witness.goes_by.insert(successor);
    else witness.disputes.insert(successor);
  }
}

bool Backlog::starts_behind(ActorId actor, Seq seq) const {
  const auto ours = histories_.find(actor);
  return ours == histories_.end() || seq < ours->second.begin()->first;
}

bool Backlog::reached(const VersionVector& published) const {
  return std::ranges::none_of(entries_, [&](const Entry& each) {
    return each.last_seq > proven(each.actor) && published.get(each.actor) >= each.first_seq;
  });
}

bool Backlog::builds_on(const std::map<ActorId, Seq>& forks, ActorId actor,
                        const Told& told) const {
  const bool agreed = by_own_.goes_by.contains(actor) || by_others_.goes_by.contains(actor) ||
                      by_log_.goes_by.contains(actor);
  const bool disputed = by_own_.disputes.contains(actor) || by_others_.disputes.contains(actor);
  if (disputed && !agreed) return true;
  const auto fork = forks.find(told.last.actor);
  if (fork == forks.end() || told.last.final_seq < fork->second) return false;
  const auto ours = histories_.find(told.last.actor);
  if (ours == histories_.end()) return false;
  const auto at = ours->second.find(told.last.final_seq);
  return at != ours->second.end() && at->second == told.history;
}

std::map<ActorId, Seq> Backlog::forks(const VersionVector& published) const {
  std::map<ActorId, Seq> forks;
  for (const auto& [actor, histories] : histories_) {
    if (const auto last = proven_of_fork(actor)) {
      forks[actor] = first_behind(actor, *last).value_or(last->next());
      continue;
    }
    const auto first = first_behind(actor, proven(actor));
    if (first && published.get(actor) >= *first) forks[actor] = *first;
  }
  // What goes on from changes that nobody else has can be applied nowhere.
  for (std::size_t before = forks.size() + 1; before != forks.size();) {
    before = forks.size();
    for (const auto& [actor, told] : told_) {
      if (builds_on(forks, actor, told)) forks[actor] = Seq{1};
    }
  }
  return forks;
}

std::set<std::int64_t> Backlog::voided(std::span<const FormerActor> chain,
                                       const std::map<ActorId, Seq>& forks) const {
  std::set<std::int64_t> positions;
  for (const Entry& each : entries_) {
    const auto actor = std::ranges::find(chain, each.actor, &FormerActor::actor);
    const bool beyond = actor != chain.end() && each.last_seq > actor->final_seq;
    const auto fork = forks.find(each.actor);
    const bool forked = fork != forks.end() && each.last_seq >= fork->second;
    if (beyond || forked) positions.insert(each.position);
  }
  return positions;
}

}  // namespace tributary

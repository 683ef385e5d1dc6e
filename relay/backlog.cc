#include "relay/backlog.h"

#include <algorithm>
#include <utility>

#include "relay/succession.h"

namespace tributary {
namespace {

constexpr SealLimit kPage{16, std::size_t{16} << 20};

template <typename Verdicts>
typename Verdicts::mapped_type of(const Verdicts& verdicts, ActorId actor) {
  const auto known = verdicts.find(actor);
  return known == verdicts.end() ? typename Verdicts::mapped_type{} : known->second;
}

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
  OriginRecord before = record;
  before.head_seq = Seq{};
  const auto last = last_known(before);
  if (last) backlog.tell(*record.actor, *last, record.former_history);
  return backlog;
}

void Backlog::tell(ActorId actor, const FormerActor& last, HistoryDigest history) {
  if (!history.known() || !told_.try_emplace(actor, Told{last, history}).second) return;
  learn(last.actor, last.final_seq, history);
}

std::optional<Seq> Backlog::first_behind(ActorId actor, Seq last) const {
  const auto entry = std::ranges::find_if(
      entries_, [&](const Entry& each) { return each.actor == actor && each.last_seq > last; });
  if (entry == entries_.end()) return std::nullopt;
  return std::max(entry->first_seq, last.next());
}

Seq Backlog::proven(ActorId actor) const {
  return std::max(of(by_replicas_, actor).same, of(by_log_, actor).same);
}

std::optional<Seq> Backlog::proven_of_fork(ActorId actor) const {
  const auto replicas = of(by_replicas_, actor);
  const auto log = of(by_log_, actor);
  if (replicas.other > replicas.same) return replicas.same;
  if (log.other <= replicas.same) return std::nullopt;
  return std::max(replicas.same, std::min(log.same, Seq{log.other.value - 1}));
}

void Backlog::compare(const Batch& published) {
  compare(published.actor, Seq{published.first_seq.value - 1}, published.before, by_log_);
  compare(published.actor, published.last_seq, published.history, by_log_);
  if (const auto last = published.last_published()) {
    compare(last->actor, last->final_seq, published.former_history, by_log_);
  }
}

void Backlog::compare(ActorId actor, Seq seq, HistoryDigest history, Verdicts& verdicts) {
  // Whoever goes by an actor goes by what its first message told.
  if (const auto told = told_.find(actor); told != told_.end()) {
    compare(told->second.last.actor, told->second.last.final_seq, told->second.history, verdicts);
  }
  const auto ours = histories_.find(actor);
  if (ours == histories_.end() || !history.known()) return;
  const auto at = ours->second.find(seq);
  const bool known = at != ours->second.end();
  if (known && at->second == history) {
    Seq& same = verdicts[actor].same;
    same = std::max(same, seq);
    return;
  }
  const auto within = [&](const Entry& each) {
    return each.actor == actor && each.first_seq <= seq && seq < each.last_seq;
  };
  const bool differs = known ? at->second.known() : std::ranges::any_of(entries_, within);
  if (!differs) return;
  Seq& other = verdicts[actor].other;
  other = std::max(other, seq);
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
  for (const auto& [actor, told] : told_) {
    const auto fork = forks.find(told.last.actor);
    if (fork != forks.end() && told.last.final_seq >= fork->second) forks[actor] = Seq{1};
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

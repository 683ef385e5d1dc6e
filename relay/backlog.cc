#include <algorithm>
#include <utility>

#include <tributary/relay/backlog.h>

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
    const auto batch = decode_batch(sealed.bytes);
    const auto [first, fresh] = backlog.next_.try_emplace(sealed.actor, sealed.first_seq);
    if (!fresh) first->second = std::min(first->second, sealed.first_seq);
    backlog.entries_.push_back({sealed.position, sealed.actor, sealed.first_seq, sealed.last_seq,
                                batch ? batch->history : HistoryDigest{}});
    auto& histories = backlog.histories_[sealed.actor];
    if (batch) histories.try_emplace(Seq{sealed.first_seq.value - 1}, batch->before);
    histories[sealed.last_seq] = backlog.entries_.back().history;
    return true;
  }));
  if (record.actor) backlog.histories_[*record.actor][record.head_seq] = record.history;
  return backlog;
}

void Backlog::fork(ActorId actor, Seq first) {
  const auto [known, fresh] = forks_.try_emplace(actor, first);
  if (!fresh) known->second = std::min(known->second, first);
}

void Backlog::fork_unmet(ActorId actor, Seq otherwise) {
  const auto next = next_.find(actor);
  const auto unmet = std::ranges::find_if(entries_, [&](const Entry& each) {
    return each.actor == actor && each.last_seq >= next->second;
  });
  fork(actor, unmet == entries_.end() ? otherwise : unmet->first_seq);
}

void Backlog::meet(ActorId actor, Seq first, Seq last) {
  const auto next = next_.find(actor);
  if (next == next_.end() || first > next->second) return;
  next->second = std::max(next->second, last.next());
}

void Backlog::compare(const Batch& published) {
  compare(published.actor, Seq{published.first_seq.value - 1}, published.before);
  if (const auto last = published.last_published()) {
    compare(last->actor, last->final_seq, published.former_history);
  }
  if (published.heartbeat()) return;
  for (const Entry& each : entries_) {
    const bool overlap = each.actor == published.actor && each.first_seq <= published.last_seq &&
                         published.first_seq <= each.last_seq;
    if (!overlap || !each.history.known()) continue;
    const bool same = each.first_seq == published.first_seq &&
                      each.last_seq == published.last_seq && each.history == published.history;
    if (!same) fork(each.actor, each.first_seq);
  }
  meet(published.actor, published.first_seq, published.last_seq);
}

void Backlog::compare(ActorId actor, Seq seq, HistoryDigest history) {
  const auto known = histories_.find(actor);
  if (known == histories_.end() || !history.known()) return;
  const auto at = known->second.lower_bound(seq);
  if (at == known->second.end() || (at->first != seq && at == known->second.begin())) return;
  if (at->first == seq && !at->second.known()) return;
  if (at->first == seq && at->second == history) meet(actor, Seq{}, seq);
  else fork_unmet(actor, seq.next());
}

void Backlog::doubt(const VersionVector& published) {
  for (const auto& [actor, next] : next_) {
    if (published.get(actor) >= next) fork_unmet(actor, next);
  }
}

bool Backlog::reached(const VersionVector& published) const {
  return std::ranges::none_of(
      next_, [&](const auto& each) { return published.get(each.first) >= each.second; });
}

std::set<std::int64_t> Backlog::voided(std::span<const FormerActor> chain) const {
  std::set<std::int64_t> positions;
  for (const Entry& each : entries_) {
    const auto actor = std::ranges::find(chain, each.actor, &FormerActor::actor);
    const bool beyond = actor != chain.end() && each.last_seq > actor->final_seq;
    const auto fork = forks_.find(each.actor);
    const bool forked = fork != forks_.end() && each.first_seq >= fork->second;
    if (beyond || forked) positions.insert(each.position);
  }
  return positions;
}

}  // namespace tributary

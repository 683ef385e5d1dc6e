#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include <tributary/relay/backlog.h>

namespace tributary {
namespace {

constexpr SealLimit kPage{16, std::size_t{16} << 20};

std::size_t digest(const Batch& batch) { return std::hash<std::string>{}(encode(batch)); }

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

Result<Backlog> Backlog::read(OutboxStore& store) {
  Backlog backlog;
  TRIBUTARY_TRY(each_unconfirmed(store, [&](const SealedBatch& sealed) {
    const auto batch = decode_batch(sealed.bytes);
    const auto [first, fresh] = backlog.next_.try_emplace(sealed.actor, sealed.first_seq);
    if (!fresh) first->second = std::min(first->second, sealed.first_seq);
    backlog.entries_.push_back({sealed.position, sealed.actor, sealed.first_seq, sealed.last_seq,
                                batch ? digest(*batch) : 0});
    return true;
  }));
  return backlog;
}

void Backlog::compare(const Batch& published) {
  if (published.heartbeat()) return;
  const auto next = next_.find(published.actor);
  if (next != next_.end() && published.first_seq <= next->second) {
    next->second = std::max(next->second, published.last_seq.next());
  }
  for (const Entry& each : entries_) {
    const bool overlap = each.actor == published.actor && each.first_seq <= published.last_seq &&
                         published.first_seq <= each.last_seq;
    if (!overlap || each.digest == 0) continue;
    const bool same = each.first_seq == published.first_seq &&
                      each.last_seq == published.last_seq && each.digest == digest(published);
    if (same) continue;
    const auto [fork, fresh] = forks_.try_emplace(each.actor, each.first_seq);
    if (!fresh) fork->second = std::min(fork->second, each.first_seq);
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

#include "consumer/progress_check.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <vector>

namespace tributary {
namespace {

constexpr std::size_t kOthersAtOnce = 200;

tl::unexpected<Error> changed() {
  return fail(ErrorKind::kConflict, "another program changed what was applied to it");
}

/// Adds the actors from `from` on, of which something is known; the value is where to go on.
ActorId add_others(const KnownReplica& known, ActorId from, std::set<ActorId>& actors) {
  std::set<ActorId> some;
  const auto& watermark = known.watermark;
  auto seq = std::lower_bound(watermark.begin(), watermark.end(), VersionVector::Entry{from, {}});
  for (std::size_t i = 0; i <= kOthersAtOnce && seq != watermark.end(); ++i) {
    some.insert((seq++)->first);
  }
  auto record = known.actors.lower_bound(from);
  for (std::size_t i = 0; i <= kOthersAtOnce && record != known.actors.end(); ++i) {
    some.insert((record++)->first);
  }
  const bool more = some.size() > kOthersAtOnce;
  const auto end = more ? std::next(some.begin(), kOthersAtOnce) : some.end();
  actors.insert(some.begin(), end);
  return more ? *end : ActorId{};
}

bool same(const KnownReplica& known, const ProgressSample& sample, ActorId actor) {
  if (known.watermark.get(actor) != sample.watermark.get(actor)) return false;
  const auto expected = known.actors.find(actor);
  const auto found = sample.actors.find(actor);
  if (expected == known.actors.end()) return found == sample.actors.end();
  return found != sample.actors.end() && found->second == expected->second;
}

std::int64_t difference(std::uint64_t found, std::size_t expected) {
  return static_cast<std::int64_t>(found) - static_cast<std::int64_t>(expected);
}

}  // namespace

Result<void> ProgressCheck::step(ReplicaStore& store, const KnownReplica& known,
                                 const std::map<OriginName, OriginState>& origins) {
  std::set<ActorId> asked;
  for (const auto& [name, state] : origins) asked.insert(state.progress().actor);
  next_ = add_others(known, next_, asked);
  const std::vector<ActorId> actors(asked.begin(), asked.end());
  TRIBUTARY_ASSIGN(const ProgressSample sample, store.sample(actors));
  if (sample.token != known.token) return {};  // told elsewhere
  for (const ActorId actor : actors) {
    if (!same(known, sample, actor)) return changed();
  }
  const Beside beside{difference(sample.watermark_size, known.watermark.size()),
                      difference(sample.actors_size, known.actors.size())};
  if (beside_ == beside) return {};
  TRIBUTARY_ASSIGN(const ReplicaProgress now, store.progress());
  if (now.token != known.token) return {};
  if (now.watermark != known.watermark || now.actors != known.actors) return changed();
  beside_ = beside;
  return {};
}

}  // namespace tributary

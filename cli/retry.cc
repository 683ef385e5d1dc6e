#include <set>
#include <utility>

#include <tributary/cli/retry.h>
#include <tributary/consumer/group.h>

namespace tributary::cli {
namespace {

constexpr int kAttempts = 5;

/// Joins one parked change; its refusal when it still cannot be joined.
Result<std::string> retry_one(ReplicaStore& store, const Parked& parked) {
  const auto batch = decode_batch(parked.bytes);
  if (!batch) return batch.error().message;
  if (batch->deltas.empty()) return std::string("it holds no change");
  for (int attempt = 1;; ++attempt) {
    TRIBUTARY_ASSIGN(const ReplicaProgress progress, store.progress());
    Group group;
    group.add({&*batch, &batch->deltas.front()});
    TRIBUTARY_TRY(group.load(store));
    group.join(progress.watermark);
    TRIBUTARY_ASSIGN(const auto foreign, store.foreign_views(group.views()));
    group.refuse_keys(foreign);
    if (!group.refused().empty()) return group.refused().front().reason;
    const ReplicaCommit commit{.steps = {},
                               .keys = group.commits(),
                               .progress = {},
                               .parked = {},
                               .unparked = {&parked.id, 1},
                               .hlc = {}};
    auto done = store.commit(commit);
    if (done) return std::string();
    if (done.error().kind != ErrorKind::kConflict || attempt == kAttempts)
      return fail(done.error());
  }
}

}  // namespace

Result<Retried> retry_parked(ReplicaStore& store, const std::string& key) {
  TRIBUTARY_ASSIGN(const auto all, store.parked());
  Retried retried;
  std::set<std::pair<std::string, ActorId>> blocked;
  for (const Parked& parked : all) {
    if (!key.empty() && parked.key != key) continue;
    std::string reason = "an earlier change of this origin to the key is parked";
    if (!blocked.contains({parked.key, parked.actor})) {
      TRIBUTARY_ASSIGN(reason, retry_one(store, parked));
    }
    if (reason.empty()) {
      ++retried.applied;
      continue;
    }
    blocked.emplace(parked.key, parked.actor);
    retried.still_parked.push_back(parked);
    retried.still_parked.back().reason = reason;
  }
  return retried;
}

Result<void> discard_parked(ReplicaStore& store, const std::vector<std::string>& ids) {
  return store.commit(ReplicaCommit{
      .steps = {}, .keys = {}, .progress = {}, .parked = {}, .unparked = ids, .hlc = {}});
}

}  // namespace tributary::cli

#include <deque>
#include <map>

#include <tributary/cli/retry.h>
#include <tributary/consumer/group.h>

namespace tributary::cli {
namespace {

constexpr int kAttempts = 5;

/// Joins all parked changes of one key; why not, when that cannot be done.
///
/// The join sees an empty watermark: the replica's own is long past these changes, and a remove
/// among them must still meet an add that it has seen and that is only joined after it.
Result<std::string> retry_key(ReplicaStore& store, const std::vector<Parked>& parked) {
  std::deque<Batch> batches;
  std::vector<std::string> ids;
  for (const Parked& each : parked) {
    auto batch = decode_batch(each.bytes);
    if (!batch) return batch.error().message;
    batches.push_back(std::move(*batch));
    ids.push_back(each.id);
  }
  for (int attempt = 1;; ++attempt) {
    Group group;
    for (const Batch& batch : batches) {
      for (const Delta& delta : batch.deltas) group.add({&batch, &delta});
    }
    TRIBUTARY_TRY(group.load(store));
    group.join({});
    TRIBUTARY_ASSIGN(const auto foreign, store.foreign_views(group.views()));
    group.refuse_keys(foreign);
    if (!group.refused().empty()) return group.refused().front().reason;
    auto done = store.commit(ReplicaCommit{.steps = {},
                                           .keys = group.commits(),
                                           .progress = {},
                                           .parked = {},
                                           .unparked = ids,
                                           .hlc = {}});
    if (done) return std::string();
    if (done.error().kind != ErrorKind::kConflict || attempt == kAttempts) {
      return fail(done.error());
    }
  }
}

}  // namespace

Result<Retried> retry_parked(ReplicaStore& store, const std::string& key) {
  TRIBUTARY_ASSIGN(const auto all, store.parked());
  std::map<std::string, std::vector<Parked>> by_key;
  Retried retried;
  for (const Parked& parked : all) {
    if (!key.empty() && parked.key != key) continue;
    if (parked.key.empty()) retried.still_parked.push_back(parked);  // no batch: nothing to join
    else by_key[parked.key].push_back(parked);
  }
  for (auto& [name, parked] : by_key) {
    TRIBUTARY_ASSIGN(const std::string reason, retry_key(store, parked));
    if (reason.empty()) {
      retried.applied += parked.size();
      continue;
    }
    for (Parked& each : parked) {
      each.reason = reason;
      retried.still_parked.push_back(std::move(each));
    }
  }
  return retried;
}

Result<void> discard_parked(ReplicaStore& store, const std::vector<std::string>& ids) {
  return store.commit(ReplicaCommit{
      .steps = {}, .keys = {}, .progress = {}, .parked = {}, .unparked = ids, .hlc = {}});
}

}  // namespace tributary::cli

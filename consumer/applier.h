/// Applies what was read to the replica: checks that each batch follows the replica's watermark,
/// joins, and commits data and progress together.
///
/// Progress lives in the replica. Whatever the replica loses (a failover, an old snapshot, a
/// FLUSHALL) it loses the progress with it; the next commit meets a watermark it did not expect,
/// and the readers start again from where the replica says.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <tributary/base/backoff.h>
#include <tributary/base/clock.h>
#include <tributary/base/metrics.h>
#include <tributary/base/result.h>
#include <tributary/connectors/replica_store.h>
#include <tributary/consumer/group.h>
#include <tributary/consumer/inbox.h>

namespace tributary {

using OpenReplica = std::function<Result<std::unique_ptr<ReplicaStore>>()>;

/// One thread.
class Applier {
 public:
  Applier(OpenReplica open_replica, Inbox& inbox, const ConsumerSettings& settings, Clock& clock,
          Metrics& metrics);

  /// Applies what the inbox holds; the value is how long the caller may wait for more. Only kFatal
  /// and kInvalid come back as errors: everything else is retried with back-off.
  Result<Millis> step();

 private:
  struct OriginState {
    OriginProgress progress;
    std::optional<Micros> missing_since;  ///< a batch is missing; it may still turn up
    bool stopped = false;                 ///< at a gap
    Micros retry_at{0};
    bool started_over = false;  ///< a gap made us read from the log's start
  };
  /// The plan for one group.
  struct Plan {
    std::vector<Received> received;  ///< owns the batches that deltas point into
    Group group;
    VersionVector watermark;  ///< after it
    std::map<ActorId, WatermarkStep> steps;
    std::map<OriginName, OriginProgress> progress;
    std::vector<Parked> parked;
    Hlc hlc;
    std::size_t changes = 0;
    std::size_t batches = 0;
  };

  Result<Millis> open();
  Result<Millis> apply(std::vector<Received> received);
  void plan_message(Plan& plan, const Received& received);
  void plan_batch(Plan& plan, const Received& received, const Batch& batch);
  void plan_deltas(Plan& plan, const Batch& batch);
  /// A batch does not follow the watermark. After a returned or nacked publish the relay sends all
  /// that is unconfirmed again, in order, and an operator may refill a log: the missing batch may
  /// stand further on. Only at the log's tail is it a gap.
  void gap(const Received& received, const Batch& batch, Seq have);
  void stop_at_gap(const Received& received, const Batch& batch, Seq have);
  Result<void> commit(Plan& plan);
  Result<void> join_and_commit(Plan& plan);
  Result<bool> resolve_conflict(Plan& plan);
  void park_refused(Plan& plan);
  void committed(const Plan& plan);
  Result<void> prune();
  Result<void> refresh_blocked();
  void retry_stopped();
  Result<Millis> recover(const Error& error);

  OpenReplica open_replica_;
  Inbox& inbox_;
  const ConsumerSettings& settings_;
  Clock& clock_;
  Metrics& metrics_;
  Backoff backoff_;
  Counter& conflicts_;

  std::unique_ptr<ReplicaStore> store_;
  VersionVector watermark_;
  std::map<OriginName, OriginState> origins_;
  /// Keys with parked changes: all later changes to them queue up behind these, so that a retry
  /// meets the key as it was.
  std::set<std::string, std::less<>> blocked_;
  bool deferring_ = false;
  Micros prune_at_{0};
  std::string outage_;  ///< the reason told last; empty: all is well
};

}  // namespace tributary

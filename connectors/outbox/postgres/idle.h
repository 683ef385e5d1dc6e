/// Asks an outbox that was found empty whether there is anything to do now, without a transaction,
/// and less often when asking is slow: while somebody holds an old snapshot, rows long deleted have
/// to be stepped over.
#pragma once

#include <array>
#include <string>

#include <tributary/base/result.h>

#include "base/clock.h"
#include "connectors/outbox/postgres/fence.h"
#include "connectors/outbox/postgres/pipeline.h"

namespace tributary::postgres {

/// How long to leave the outbox alone after polls that took so long: none while they are fast, else
/// so that a tenth of the time goes to polling, and less than a second.
class PollPause {
 public:
  /// The pause after a poll that took `took`.
  [[nodiscard]] Micros after(Micros took);

 private:
  std::array<Micros, 3> recent_{};
  std::size_t next_ = 0;
};

/// Whom a look found to hold the oldest snapshot, and from which transaction on; empty: nobody.
struct SnapshotHolder {
  std::string who;
  std::string xmin;
  friend bool operator==(const SnapshotHolder&, const SnapshotHolder&) = default;
};

/// Who is told as the holder of an old snapshot, while polls are slow: everybody once, looked for
/// once a minute, and again a second later: short transactions come and go, and a machine may be
/// slow for other reasons.
class HolderNews {
 public:
  /// Whether to look now.
  [[nodiscard]] bool due(Micros now) const { return now >= next_; }
  /// What a look found. Whether to tell of it.
  [[nodiscard]] bool found(const SnapshotHolder& holder, Micros now);

 private:
  Micros next_{0};
  SnapshotHolder seen_;
  std::string told_;
};

/// Borrows the pipeline. Not thread-safe.
class IdlePolling {
 public:
  explicit IdlePolling(Pipeline& pipeline) : pipeline_(pipeline) {}

  /// True when there is certainly nothing, or it is not yet time to ask. False: look with a seal,
  /// which also says why when the fence does not hold.
  [[nodiscard]] Result<bool> nothing_to_do(const Fence& fence);
  /// Whether the last look found rows.
  void found(bool rows) { idle_ = !rows; }

 private:
  void warn(Micros now);

  Pipeline& pipeline_;
  bool idle_ = false;
  Micros not_before_{0};
  PollPause pause_;
  HolderNews news_;
};

}  // namespace tributary::postgres

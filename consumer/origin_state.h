/// What the applier remembers of one origin: its progress, whether changes are missing, and what
/// its metrics show. Not for: judging messages (see planner.h).
#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "connectors/replica/replica_store.h"
#include "consumer/planner.h"
#include "consumer/read_ahead.h"
#include "consumer/settings.h"

namespace tributary {

/// One thread. Outlives the replica's sessions: what the origin told is known while the replica is
/// away, too.
class OriginState {
 public:
  OriginState(OriginName name, const ConsumerSettings& settings, Clock& clock, Metrics& metrics);

  /// The replica is open; it holds this progress (none: it has never seen the origin).
  void open(std::optional<OriginProgress> progress, const VersionVector& watermark);
  /// Behind which message to read on after open(); absent: from the start.
  [[nodiscard]] std::optional<Offset> read_after() const;
  [[nodiscard]] const OriginName& name() const { return name_; }
  /// What was planned with the messages that were skipped is committed.
  void keep_skipped() {
    if (skipped_) skipped_->kept = skipped_->upto;
  }
  [[nodiscard]] const OriginProgress& progress() const { return progress_; }
  void move_to(OriginProgress next) { progress_ = next; }

  /// Hears what the origin says of its head, whether or not it can be applied.
  void hear(const Batch& batch, const Standing& standing);
  /// Changes are missing before this batch. While the log goes on, they may stand further on: after
  /// a returned or nacked publish the relay sends all that is unconfirmed again, in order. Only at
  /// the log's tail is it a gap, after a while. True: read the log from its start, since the stored
  /// offset may belong to a log that was deleted and made again; asked for once, or once in a long
  /// time.
  [[nodiscard]] bool missing(const Arrival& received, const Batch& batch, const Admission& gap);
  /// A batch was applied: what was missing is there.
  void advanced();
  /// Changes are missing: offsets stay where the last applied message was.
  [[nodiscard]] bool waits() const { return waits_; }

  /// Nothing more of the origin can be set aside.
  void stop_full(const std::string& reason);
  /// A message goes on from other changes than were applied here. What comes behind it may fit: it
  /// is read on, and the offset stays.
  void stop_forked(const std::string& reason);
  [[nodiscard]] bool forked() const { return forked_; }
  /// Nobody can tell how much of it was applied here.
  void stop_doubtful(const std::string& reason);
  /// Stopped so; true once when it is time to try again.
  [[nodiscard]] bool halted() const { return halted_; }
  [[nodiscard]] bool retries();

  void count_void(const Batch& batch);
  /// Its seqs were given to others before.
  void count_fork(const Batch& batch);
  /// Whether a heartbeat of the actor is the first that must not be obeyed.
  [[nodiscard]] bool first_refused(ActorId actor);
  void show(const VersionVector& watermark);

 private:
  void halt();
  void stop_at_gap(const Batch& batch, const Admission& gap);

  OriginName name_;
  const ConsumerSettings& settings_;
  Clock& clock_;
  Metrics& metrics_;
  Gauge& lag_;
  Gauge& applied_;
  Gauge& stopped_gauge_;

  OriginProgress progress_;
  bool seen_ = false;  ///< the replica had progress of the origin at open()
  // As told by the origin:
  ActorId actor_;
  Seq head_;
  std::vector<FormerActor> former_;
  /// What was read behind a gap, and need not be read again while nothing was applied.
  struct Skipped {
    ActorId actor;  ///< that lacks changes, and how far it was applied
    Seq have;
    Offset upto;
    Micros since{0};
    std::optional<Offset> kept;  ///< `upto`, when what was planned with it was committed last
  };

  bool waits_ = false;
  std::optional<Skipped> skipped_;
  std::optional<Micros> missing_since_;  ///< at the log's tail
  bool at_gap_ = false;                  ///< stopped, and said so
  bool forked_ = false;                  ///< stopped at a fork
  std::optional<Micros> start_over_at_;  ///< not before; absent: at once
  bool halted_ = false;
  std::string doubt_told_;
  Micros retry_at_{0};
  std::set<ActorId> void_told_;
  std::set<ActorId> forks_told_;
  std::string fork_told_;  ///< why it was stopped at a fork last
  std::set<ActorId> refused_;
};

}  // namespace tributary

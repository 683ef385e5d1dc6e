/// What a relay that is about to lead finds sealed and unconfirmed. Not for: publishing it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/crdt/version_vector.h>

#include "connectors/outbox/outbox_store.h"
#include "outbox/batch/batch.h"

namespace tributary {

/// It is compared, by the history that others go by, with what they have of its actors. Equal
/// histories prove all that is before; and whoever goes by an actor goes by what that one told of
/// those before it.
class Backlog {
 public:
  [[nodiscard]] static Result<Backlog> read(OutboxStore& store, const OriginRecord& record);
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  /// A batch or heartbeat that the changelog holds, and that counts. One that was skipped, since
  /// others had its seqs first, may look as if it did: what a replica says outweighs it.
  void compare(const Batch& published);
  /// What the origin's own region, or another one, applied of the actor, up to `seq`.
  void compare(ActorId actor, Seq seq, HistoryDigest applied, bool own) {
    compare(actor, seq, applied, own ? by_own_ : by_others_);
  }
  /// What the database has sealed up to a seq, when the backlog does not tell.
  void learn(ActorId actor, Seq seq, HistoryDigest history) {
    histories_[actor].try_emplace(seq, history);
  }
  /// Whether learn() may help to compare what somebody has up to there.
  [[nodiscard]] bool starts_behind(ActorId actor, Seq seq) const;

  /// Whether what was compared accounts for all that was `published` of the backlog's seqs, so that
  /// a fork would have shown.
  [[nodiscard]] bool reached(const VersionVector& published) const;
  /// Actors whose seqs were given to other changes: the database was put back to before it sealed
  /// them, gave them out again, and is back now. And the first seq of which that may be so. What
  /// was `published` of the backlog's seqs and is not accounted for may have been something else.
  [[nodiscard]] std::map<ActorId, Seq> forks(const VersionVector& published) const;
  /// Positions of what can no longer be published: it lies beyond its actor's final seq in the
  /// `chain`, or behind a fork.
  [[nodiscard]] std::set<std::int64_t> voided(std::span<const FormerActor> chain,
                                              const std::map<ActorId, Seq>& forks) const;

 private:
  struct Entry {
    std::int64_t position = 0;
    ActorId actor;
    Seq first_seq;
    Seq last_seq;
  };
  /// What an actor's batches say of the newest one before it that published anything.
  struct Told {
    FormerActor last;
    HistoryDigest history;
  };
  /// The largest seqs at which somebody goes by what is ours, and by something else.
  struct Verdict {
    Seq same;
    Seq other;
  };
  struct Witness {
    std::map<ActorId, Verdict> verdicts;
    std::set<ActorId> goes_by;   ///< actors whose Told it has taken for true
    std::set<ActorId> disputes;  ///< … or not
    [[nodiscard]] Verdict of(ActorId actor) const;
  };

  void tell(ActorId actor, const FormerActor& last, HistoryDigest history);
  void compare(ActorId actor, Seq seq, HistoryDigest history, Witness& witness);
  void compare_told(ActorId actor, Seq seq, HistoryDigest history, Witness& witness);
  /// The first seq behind `last` of a batch of the backlog; nullopt: there is none.
  [[nodiscard]] std::optional<Seq> first_behind(ActorId actor, Seq last) const;
  /// All that others are known to go by as well.
  [[nodiscard]] Seq proven(ActorId actor) const;
  /// The same, as far as that is beyond doubt. nullopt: nobody goes by anything else.
  [[nodiscard]] std::optional<Seq> proven_of_fork(ActorId actor) const;
  /// Whether what the actor went on from is what nobody else has.
  [[nodiscard]] bool builds_on(const std::map<ActorId, Seq>& forks, ActorId actor,
                               const Told& told) const;

  std::vector<Entry> entries_;                                 ///< in sealing order
  std::map<ActorId, std::map<Seq, Seq>> ranges_;               ///< of these, first seq -> last seq
  std::map<ActorId, std::map<Seq, HistoryDigest>> histories_;  ///< ours
  std::map<ActorId, Told> told_;
  Witness by_own_;
  Witness by_others_;
  Witness by_log_;
};

/// Calls `visit` with the batches of the backlog, in sealing order, as long as it says true.
[[nodiscard]] Result<void> each_unconfirmed(OutboxStore& store,
                                            const std::function<bool(SealedBatch)>& visit);

}  // namespace tributary

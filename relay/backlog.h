/// What a relay that is about to lead finds sealed and unconfirmed. Not for: publishing it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/connectors/outbox_store.h>
#include <tributary/crdt/version_vector.h>
#include <tributary/outbox/batch.h>

namespace tributary {

class Backlog {
 public:
  [[nodiscard]] static Result<Backlog> read(OutboxStore& store, const OriginRecord& record);
  [[nodiscard]] bool empty() const { return entries_.empty(); }

  /// A batch or heartbeat that the changelog holds. With seqs of the backlog and another content,
  /// or behind another history, it shows that the database was put back to before it sealed them,
  /// gave them out again, and is back now.
  void compare(const Batch& published);
  /// The same by the history that somebody goes by for the actor, up to `seq`, however long ago the
  /// changelog forgot how that came about. Only where the backlog, or the database's head, tells
  /// what it was here.
  void compare(ActorId actor, Seq seq, HistoryDigest history);
  /// Whether what was compared accounts for all that was `published` of the backlog's seqs, so that
  /// a fork would have shown.
  [[nodiscard]] bool reached(const VersionVector& published) const;
  /// What was `published` of the backlog's seqs, and is not accounted for, may have been something
  /// else: a fork, for all that is known.
  void doubt(const VersionVector& published);
  /// Such actors, and the first of their seqs in the backlog that stands for two things.
  [[nodiscard]] const std::map<ActorId, Seq>& forks() const { return forks_; }
  /// Positions of what can no longer be published: it lies beyond its actor's final seq in the
  /// `chain`, or behind a fork.
  [[nodiscard]] std::set<std::int64_t> voided(std::span<const FormerActor> chain) const;

 private:
  struct Entry {
    std::int64_t position = 0;
    ActorId actor;
    Seq first_seq;
    Seq last_seq;
    HistoryDigest history;  ///< not known: it is not understood
  };
  void fork(ActorId actor, Seq first);
  /// From the first batch on that is not accounted for.
  void fork_unmet(ActorId actor, Seq otherwise);
  void meet(ActorId actor, Seq first, Seq last);

  std::vector<Entry> entries_;  ///< in sealing order
  /// What the database has published, or is about to, up to some seqs of an actor.
  std::map<ActorId, std::map<Seq, HistoryDigest>> histories_;
  std::map<ActorId, Seq> forks_;
  std::map<ActorId, Seq> next_;  ///< from the backlog's first seq on, the first not accounted for
};

/// Calls `visit` with the batches of the backlog, in sealing order, as long as it says true.
[[nodiscard]] Result<void> each_unconfirmed(OutboxStore& store,
                                            const std::function<bool(SealedBatch)>& visit);

}  // namespace tributary

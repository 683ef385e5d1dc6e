/// Whether a message of an origin's changelog may be obeyed: the rules by which actors belong to
/// origins, follow one another, and number their changes. Pure; used by the applier against what
/// the replica holds, and by a rebuild against what it has read.
///
/// - An actor belongs to the origin that it was made for, as its bits tell, or to that of its first
///   batch, for good. A stream that speaks in the name of another origin's actor is never obeyed.
/// - A batch names whom its actor followed and that one's final seq. A replica that lacks changes
///   up to there is at a gap. From then on the former actor is retired: what comes of it behind its
///   final seq is void.
/// - A new actor takes over only from the one that is the origin's here, by naming it, itself or in
///   the chain before: else anybody who can write one message would end the live one. A relay names
///   all that it, the changelog and its region's replica know of; it seals nothing before it has
///   read what came before its own first message, which is void when it names too little.
/// - A batch carries the digest of all that precedes it. Where that is not what was applied here,
///   the same seqs were given to other changes (a database that was put back unnoticed): it is not
///   applied.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <tributary/crdt/version_vector.h>

#include "connectors/replica/replica_store.h"
#include "outbox/batch/batch.h"

namespace tributary {

/// What is known of actors and their changes while messages are judged, one after the other.
class Standing {
 public:
  using Doubts = std::map<ActorId, std::string>;
  /// `known`, `origins` (all that there are) and `doubtful` (actors of which it is not known what
  /// was applied, and why; null: none) are borrowed.
  Standing(VersionVector watermark, const std::map<ActorId, ActorRecord>& known,
           const std::vector<OriginName>& origins, const Doubts* doubtful = nullptr)
      : watermark_(std::move(watermark)), known_(&known), origins_(&origins), doubtful_(doubtful) {}

  /// nullptr when the actor belongs to nobody yet.
  [[nodiscard]] const ActorRecord* find(ActorId actor) const;
  /// Whose the actor is, bound or made for; nullptr when nobody can tell.
  [[nodiscard]] const OriginName* owner(ActorId actor) const;
  [[nodiscard]] bool retired(ActorId actor) const;
  /// Why nobody knows what was applied of the actor; nullptr when it is known.
  [[nodiscard]] const std::string* doubt(ActorId actor) const;
  /// Binds the actor, or retires it, from here on.
  void record(ActorId actor, ActorRecord next) { changed_[actor] = std::move(next); }
  void raise(ActorId actor, Seq seq) { watermark_.raise(actor, seq); }

  [[nodiscard]] const VersionVector& watermark() const { return watermark_; }
  /// What record() was told.
  [[nodiscard]] const std::map<ActorId, ActorRecord>& changed() const { return changed_; }

 private:
  VersionVector watermark_;
  const std::map<ActorId, ActorRecord>* known_;
  const std::vector<OriginName>* origins_;
  const Doubts* doubtful_;
  std::map<ActorId, ActorRecord> changed_;
};

/// An origin's current actor, as the replica has it, and what was applied of it.
struct CurrentActor {
  ActorId actor;
  HistoryDigest history = {};  ///< up to its watermark
};

struct Admission {
  enum class Kind {
    kApply,  ///< follows the watermark
    kSeen,   ///< a duplicate, or a heartbeat
    kVoid,   ///< of a retired actor, behind its final seq; or no change, of one that takes nothing
             ///< over
    kGap,    ///< changes before it are missing
    kPark,   ///< must not be obeyed
    kStop,   ///< nobody can tell whether it may be obeyed: the origin has to wait
    kFork,   ///< it goes on from other changes than those that were applied here
  };
  Kind kind = Kind::kSeen;
  std::string reason = {};  ///< kPark, kStop, kFork
  // kGap: of `actor` the changes behind `have` up to `before` are missing.
  ActorId actor = {};
  Seq have = {};
  Seq before = {};
  /// The predecessor's changes behind its final seq had already been applied here.
  bool beyond_final = false;
  /// Of the batch's actor, up to its watermark, once the batch is applied; or not known.
  HistoryDigest history = {};
  /// kSeen: what was applied of these seqs is something else.
  bool differs = false;
};

/// Judges a batch of the changelog of `origin`, whose actor is `current` so far, and records in
/// `standing` what follows: bindings, retirements and, when it is to be applied, the watermark.
[[nodiscard]] Admission admit(Standing& standing, const OriginName& origin,
                              const CurrentActor& current, const Batch& batch);

/// A context that runs this far ahead of all that is known of an actor is forged.
inline constexpr std::uint64_t kMostAhead = std::uint64_t{1} << 32;

/// The batch's contexts reduced to entries that claim more than kMostAhead above both `watermark`
/// and `heads`; empty when there are none.
[[nodiscard]] std::vector<VersionVector> forged_contexts(const Batch& batch,
                                                         const VersionVector& watermark,
                                                         const VersionVector& heads);

/// Whether joining the delta would obey any entry of `forged`.
[[nodiscard]] bool names_forged(const Delta& delta, ActorId actor,
                                const std::vector<VersionVector>& forged);

}  // namespace tributary

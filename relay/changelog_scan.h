/// Reading an origin's changelog for what it proves about the origin's actors. Not for: applying
/// it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <tributary/base/result.h>

#include "connectors/changelog/changelog.h"
#include "outbox/batch/batch.h"
#include "relay/other_actors.h"

namespace tributary {

/// What a stretch of a changelog says, up to its end.
struct ChangelogEvidence {
  std::optional<Offset> end;       ///< absent: the log is empty
  std::vector<ActorId> order;      ///< actors by their first message, named ones included
  std::map<ActorId, Seq> highest;  ///< last seq that counts, of each actor with a message
  std::map<ActorId, HistoryDigest> histories;  ///< up to `highest`, as far as it is known
  /// Last seq behind a hole, or behind other changes: nobody can apply it, but it is taken.
  std::map<ActorId, Seq> cut_off;
  std::set<ActorId> parted;        ///< what comes of them goes on from what does not count
  std::map<ActorId, Seq> retired;  ///< actor -> final seq, by the message of the one that followed
  std::optional<ActorId> current;  ///< the origin's actor at the end, as consumers judge it
  Hlc hlc;                         ///< the largest of a change

  [[nodiscard]] Seq highest_of(ActorId actor) const;
  [[nodiscard]] HistoryDigest history_of(ActorId actor) const;
};

/// Where somebody has read a changelog to, who was the origin's actor then (absent: nobody), what
/// counted of each actor, and the final seqs of those that were followed.
struct ReadTo {
  Offset offset;
  std::optional<ActorId> current = std::nullopt;
  std::map<ActorId, Seq> applied = {};
  std::map<ActorId, Seq> retired = {};
  HistoryDigest history = {};  ///< of `current`, up to what counted of it
};

/// Takes messages in the order of the log and tells which of them count, as consumers judge it:
/// what comes of a retired actor behind its final seq is void, an actor that does not name the one
/// before it is not obeyed, a batch before which changes are missing that nobody has cannot be
/// applied (when they are sent again, so is all that followed), and messages that are no batches of
/// the origin say nothing.
class EvidenceCollector {
 public:
  /// What a message says in the name of `others`, or of one that followed them, is forged.
  /// `before`: what was read before the first message; absent: the first of each actor's messages
  /// tells. `known`: changes that somebody has, whether the log does or not.
  EvidenceCollector(OriginName origin, const OtherActors& others, const VersionVector& known,
                    const std::optional<ReadTo>& before)
      : origin_(std::move(origin)), others_(others), known_(known) {
    if (!before) return;
    evidence_.current = before->current;
    evidence_.retired = before->retired;
    applied_ = before->applied;
    if (before->current) evidence_.histories[*before->current] = before->history;
  }
  /// The batch, when it counts.
  std::optional<Batch> take(const ChangelogMessage& message);
  [[nodiscard]] const ChangelogEvidence& evidence() const { return evidence_; }

 private:
  void meet(ActorId actor);
  /// The last seq that counts, also of what was read before.
  [[nodiscard]] Seq counted(ActorId actor) const;
  /// Whether it goes on from other changes than those that count.
  [[nodiscard]] bool contradicts(const Batch& batch) const;
  /// Whether it is skipped, since other changes with its seqs counted first: as far as that is
  /// remembered.
  [[nodiscard]] bool skipped(const Batch& batch) const;
  void remember(const Batch& batch);
  /// Notes that nobody can apply it.
  std::optional<Batch> cut_off(const Batch& batch);
  /// Whether no changes are missing before the batch.
  [[nodiscard]] bool fits(const Batch& batch) const;
  /// Whether the message is not of an actor that takes over without naming the one before.
  [[nodiscard]] bool follows(const Batch& batch, const std::vector<FormerActor>& former) const;

  OriginName origin_;
  const OtherActors& others_;
  const VersionVector& known_;
  std::map<ActorId, Seq> applied_;
  /// Of each actor, the last seqs of its newest batches that count, and their histories.
  std::map<ActorId, std::map<Seq, HistoryDigest>> recent_;
  ChangelogEvidence evidence_;
};

/// Reads the origin's changelog behind `after` (absent: from the first message kept) to its present
/// end, in one stream; the last message always. `visit` gets every batch that counts. The log must
/// exist. `others`: actors of other origins, `known`: see EvidenceCollector. kTransient when its
/// end does not arrive.
[[nodiscard]] Result<ChangelogEvidence> scan_changelog(
    Changelog& changelog, const OriginName& origin, const OtherActors& others,
    const VersionVector& known, std::optional<ReadTo> after,
    const std::function<Result<void>(const Batch&)>& visit);

}  // namespace tributary

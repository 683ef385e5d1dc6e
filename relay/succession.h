/// Whether an origin's actor may go on, and whom a new one follows: pure rules over what the
/// database, the changelog and the replicas say.
///
/// Re-using an actor whose seqs were published beyond the database's head would give two changes
/// the same number, and replicas would differ for ever without noticing. So an actor goes on only
/// when it is proven that nothing above its head was ever published.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connectors/outbox/outbox_store.h"
#include "connectors/replica/replica_store.h"
#include "relay/changelog_scan.h"

namespace tributary {

/// All that is known of an origin when a relay is about to lead it.
struct Testimony {
  const OriginRecord& record;
  const ChangelogEvidence& changelog;            ///< behind what the own region's replica has read
  const std::vector<ReplicaProgress>& replicas;  ///< those that answered
  bool own_replica = false;                      ///< the own region's is among them
  bool all_replicas = false;                     ///< there are no others
  std::optional<FormerActor> handed = {};        ///< see Succession
  std::map<ActorId, Seq> forks = {};             ///< see Backlog::forks()
};

struct Verdict {
  std::optional<std::string> mint_because;  ///< absent: the actor goes on
  bool restored = false;  ///< changes beyond the head were published: the database forgot them
  bool log_lost = false;  ///< the changelog holds nothing of the actor, and no replica stands in
  /// Every actor there was, oldest first, with the last seq that counts; the last of them is the
  /// one that a new actor follows.
  std::vector<FormerActor> chain;
  HistoryDigest former_history;  ///< see Batch, of one that follows the chain
  Hlc hlc;                       ///< nothing that was published is later
};

/// The last changes that were published, for all the database knows; nullopt: none were.
[[nodiscard]] std::optional<FormerActor> last_known(const OriginRecord& record);

/// The changelog, as far as it was read, holds something of the database's actor, or of any before
/// it when nothing of it was sealed.
[[nodiscard]] bool holds_known(const OriginRecord& record, const ChangelogEvidence& changelog);

[[nodiscard]] Verdict judge(const Testimony& testimony, const OriginName& origin);

}  // namespace tributary

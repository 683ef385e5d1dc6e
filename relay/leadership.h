/// Becoming the leader of an origin: the lease, the actor, and what memory needs from the outbox.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include <tributary/base/result.h>

#include "connectors/changelog/changelog.h"
#include "connectors/outbox/outbox_store.h"
#include "connectors/replica/replica_store.h"
#include "outbox/batch/sealing.h"
#include "outbox/batch/totals.h"
#include "relay/changelog_scan.h"
#include "relay/other_actors.h"

namespace tributary {

/// What the replicas that answered say, the own region's first.
struct ReplicaAnswers {
  std::vector<ReplicaProgress> replicas;
  bool own = false;  ///< the own region's replica is among them
  bool all = false;  ///< there are no others
};
/// Asks all regions' replicas how far they are, for a bounded time.
using AskReplicas = std::function<ReplicaAnswers()>;

/// What a leader starts from.
struct Leadership {
  OriginHead head;
  TotalsCache totals;
  Seq totals_seq;      ///< the stored totals hold at least everything up to here
  Hlc seen;            ///< the largest that writers were told of so far
  VersionVector told;  ///< all that writers were ever told of
  StoredSchema schema;
  std::vector<FormerActor> former;  ///< oldest first: the last one is the actor's predecessor
  /// Nothing of the actor was sealed yet, and it follows another one, or the changelog looked
  /// empty, which is only certain once something stands in it; or batches were left to publish, as
  /// by a relay whose bytes may still be on their way, with more than the database knows. Before
  /// the first seal a record of the actor has to stand in the changelog, and what others got in
  /// before it has to be looked at (settle()). From here on.
  bool unsettled = false;
  std::optional<ReadTo> looked_through;  ///< of the changelog
  /// Positions of sealed batches that can no longer be published: see void_batches.h.
  std::set<std::int64_t> voided = {};
  OtherActors others;
};

/// What take_leadership() works with. All are borrowed.
struct Succession {
  OutboxStore& store;
  Changelog& changelog;
  const OriginName& origin;
  const std::vector<OriginName>& origins;  ///< all that there are
  const AskReplicas& ask_replicas;
  const std::function<std::uint64_t()>& random;  ///< 64 unpredictable bits
  /// What this relay has published last, while it led before: bytes of it may be on their way.
  std::optional<FormerActor> handed = std::nullopt;
};

/// Up to where somebody has each actor's changes, whatever the changelog still holds of them.
[[nodiscard]] VersionVector finals_of(std::span<const FormerActor> chain);

/// Takes the lease and reads the outbox's state. Unless it is proven that nothing beyond the
/// database's head was ever published under its actor (see succession.h), it mints a new one. Rows
/// that a restored database holds once more, though they were published, are dropped; when the
/// changelog does not reach back far enough to tell, they are set aside as whole transactions, for
/// a person to decide. kConflict while another relay leads. The changelog must be reachable.
[[nodiscard]] Result<Leadership> take_leadership(const Succession& succession);

/// The record of the minting was confirmed by the changelog. Drops the rows of what the former
/// relay published before it and after we had looked: consumers apply it, and void what comes
/// after. kTransient when the record does not show, or actors do that leadership was taken without.
[[nodiscard]] Result<void> settle(Leadership& leadership, const Succession& succession);

}  // namespace tributary

/// Becoming the leader of an origin: the lease, the actor, and what memory needs from the outbox.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/connectors/changelog.h>
#include <tributary/connectors/outbox_store.h>
#include <tributary/outbox/sealing.h>
#include <tributary/outbox/totals.h>

namespace tributary {

/// What a leader starts from.
struct Leadership {
  OriginHead head;
  TotalsCache totals;
  Seq totals_seq;                        ///< the stored totals hold at least everything up to here
  std::vector<SealedBatch> unconfirmed;  ///< to publish (again), in order
};

/// Takes the lease and reads the outbox's state. Mints a new actor for a new outbox, for a database
/// whose identity changed (a copy or a promoted standby), and for one whose changelog already holds
/// seqs above its head (restored from a backup): re-using an actor would silently diverge. Rows
/// that a restored database holds once more, though they were published, are dropped. kConflict
/// while another relay leads. The changelog must be reachable: without its tail a restored database
/// cannot be told.
[[nodiscard]] Result<Leadership> take_leadership(OutboxStore& store, Changelog& changelog,
                                                 const OriginName& origin,
                                                 const std::function<std::uint64_t()>& random);

}  // namespace tributary

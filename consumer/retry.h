/// Applying changes again that were set aside, or giving them up. Used by `tributary parked` beside
/// a running consumer, and by the consumer itself after an upgrade.
///
/// A key's changes are joined in one commit in the order of (origin, actor, seq), never of wall
/// clocks, and its view is made anew from the whole state. Whole messages (no key) are never
/// retried: what did not decode then, or claims an actor of another origin, is given up by
/// discarding it. Changes of another type than their key's wait beside it: should `schema` (which
/// type a key must have, as the consumer has it) give the key their type by now, the key is marked,
/// and the consumer rebuilds it from the changelogs. So it is with a key whose state is of another
/// type than `schema` gives it: retrying it is how a person says that it may become one of that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>

#include "connectors/replica/replica_store.h"

namespace tributary {

struct RetryResult {
  std::string key;
  std::uint64_t applied = 0;  ///< parked changes joined and forgotten
  std::string reason;         ///< why the key is still blocked; empty: it is not
};

/// Tries the changes parked for one key, all at once: when one of them cannot be joined, all stay.
/// A key that is not blocked is no error: nothing is applied. A key that is incomplete stays
/// blocked and is marked: the consumer rebuilds it from the changelogs, and the next time it looks,
/// though it has failed before. Retries conflicts by itself.
[[nodiscard]] Result<RetryResult> retry_key(ReplicaStore& store, const Schema& schema,
                                            std::string_view key);

/// At most this many keys are told by name.
inline constexpr std::size_t kRetryTold = 100;

struct RetryReport {
  std::uint64_t applied = 0;      ///< changes
  std::uint64_t unblocked = 0;    ///< keys
  std::uint64_t blocked = 0;      ///< keys that still are
  std::vector<RetryResult> told;  ///< the first of these, with their reasons
};

/// Tries all blocked keys, page by page.
[[nodiscard]] Result<RetryReport> retry_all(ReplicaStore& store, const Schema& schema);

/// Tries keys of one page behind `after` that are blocked by a type this version knows by now, or
/// since their keyspace had another type for a while: as many as have some thousand changes. The
/// value is where to go on; empty: there are no more.
[[nodiscard]] Result<std::string> retry_known_types(ReplicaStore& store, const Schema& schema,
                                                    std::string_view after);

struct FittingStep {
  std::string next;      ///< where to go on; empty: there are no more
  bool retried = false;  ///< a key was
};

/// Has a key rebuilt of which changes were set aside as of another type than its keyspace's, and
/// are of its type by now: the first among one page of what is parked behind `after`. Of what is
/// parked it reads the ids, and what stands beside keys.
[[nodiscard]] Result<FittingStep> retry_fitting_types(ReplicaStore& store, const Schema& schema,
                                                      std::string_view after);

/// Gives up all changes parked for a key; the value is how many. The key is not blocked any more
/// unless it is incomplete. This region misses these changes from then on: it differs from the
/// others for good.
[[nodiscard]] Result<std::uint64_t> discard_key(ReplicaStore& store, std::string_view key);

/// Gives up changes or messages by their ids; the value is how many were there. As discard_key()
/// otherwise.
[[nodiscard]] Result<std::uint64_t> discard_parked(ReplicaStore& store,
                                                   const std::vector<std::string>& ids);

}  // namespace tributary

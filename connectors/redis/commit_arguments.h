/// A commit as the arguments of the commit script.
#pragma once

#include <cstdint>

#include <tributary/connectors/redis/arguments.h>
#include <tributary/connectors/replica_store.h>

namespace tributary::redis {

/// Replaces `out` by the number of KEYS, the KEYS and the ARGV of kCommitScript. `nonce` is random
/// and makes the new versions. The keys of a commit are distinct.
///
///   KEYS  (state, view) of each key, then watermark, progress, hlc, parked, deferring
///   ARGV  count, (actor, from) of each step
///         (expected version, STRLEN | SCARD | … or "" without edits) of each key
///         of each key: "one", version, state field, its value, string view, or
///                      "many", count, state fields and values · count, state fields to drop ·
///                      count, edits: SET value | UNLINK | other command, count, arguments
///         count, watermark pairs · count, progress pairs · count, parked pairs ·
///         count, keys to list as deferring · hlc · count, keys to list no more ·
///         count, parked ids to forget
///
/// A count tells how many arguments follow; for steps, how many pairs; for edits, how many edits.
void build_commit(Arguments& out, const ReplicaCommit& commit, std::uint64_t nonce);

}  // namespace tributary::redis

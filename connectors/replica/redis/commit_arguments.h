/// A commit as the arguments of the commit script.
#pragma once

#include <cstdint>

#include "connectors/replica/redis/arguments.h"
#include "connectors/replica/replica_store.h"

namespace tributary::redis {

/// Replaces `out` by the number of KEYS, the KEYS and the ARGV of commit_script(). `nonce` is
/// random and makes the new versions. The keys of a commit are distinct.
///
///   KEYS  (state, view) of each key, see CommitKeys, then kSharedKeys
///   ARGV  1 or 0: the token is expected · the expected token · the nonce in hex: the next token
///         count, (actor, from) of each advance
///         0, or 1 and count, (actor, seq) that the watermark must not be above
///         count, (key, expected mark) of each block
///         count, expected versions of single strings that are there · count: keys that must not be
///         of each other key: expected version, after a "!" when damage is dropped; then
///           "" · STRLEN · EXISTS, 0 · or SCARD | … , expected members ("": any)
///         count, keys to list as deferring · count, (id, body) to park
///         count, (key, new block or "", 1: incomplete) · count, (actor, seq) of what is lowered
///         count, runs of single strings: count, version, state field, (its value, string view)
///         of each other key: "many" or "anew" (the state is dropped first), members before ("": a
///                      string) · count, edits: SET value | UNLINK | other command, count,
///                      arguments · count, state fields to drop · count, fields and values
///         count, watermark pairs · count, actor pairs · count, progress pairs · hlc
///         count, keys to list no more · count, parked ids to forget · count, finished keys
///
/// A count tells how many arguments follow; before a tuple in brackets, how many tuples; for edits,
/// how many edits.
void build_commit(Arguments& out, const ReplicaCommit& commit, std::uint64_t nonce);

}  // namespace tributary::redis

/// A commit to a replica in memory. Private to the replica in memory.
#pragma once

#include <cstdint>
#include <string>

#include "connectors/replica/memory/replica_disk.h"

namespace tributary {

/// kConflict, with what is in the way, when the commit does not fit what the disk holds.
[[nodiscard]] Result<void> check(const ReplicaDisk& disk, const ReplicaCommit& commit);

/// Carries out a commit that passed check(). `nonce` makes the new versions, marks and token.
void write(ReplicaDisk& disk, const ReplicaCommit& commit, const std::string& nonce);

/// Stops in the midst of it, as a server does that refuses a command of ours, where `draw` says:
/// before the first write or behind the last at the earliest and latest. The disk tells which keys
/// were concerned.
void write_half(ReplicaDisk& disk, const ReplicaCommit& commit, const std::string& nonce,
                std::uint64_t draw);

/// How the view of `key` differs from what commits left, if a commit to it would mind.
[[nodiscard]] std::optional<ChangedView> changed_view(const ReplicaDisk& disk, std::string_view key,
                                                      crdt::ViewKind kind);

}  // namespace tributary

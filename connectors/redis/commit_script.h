/// The compare-and-set script that commits a group of keys with their progress, and its arguments.
#pragma once

#include <string>
#include <string_view>

#include <tributary/connectors/redis/connection.h>
#include <tributary/connectors/replica_store.h>

namespace tributary::redis {

/// Lua 5.1, for EVAL. Checks every precondition before its first write, because Redis does not roll
/// a script back. Answers "OK", or what was not as expected.
extern const std::string_view kCommitScript;

/// Writes the EVALSHA call into `command`. `nonce` makes the versions of this commit unique.
void build_commit(Command& command, std::string_view sha, const ReplicaCommit& commit,
                  std::string_view nonce);

}  // namespace tributary::redis

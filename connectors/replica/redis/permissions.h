/// Keys that the Redis user may not touch: its ACL names key patterns, and a view's key matches
/// none of them. Redis looks at all keys of a script before it runs, so that a commit is refused as
/// a whole. Not for: commands that the user may not run (see server.h).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/result.h>

#include "connectors/replica/redis/connection.h"

namespace tributary::redis {

/// How Redis refuses a command that the user may not run, or may not run on its keys.
inline constexpr std::string_view kNoPermission = "NOPERM";

/// Whether it was refused so, outside of a script or in one.
[[nodiscard]] bool denied(const Error& error);

/// kFatal, saying what to grant, unless the user, who may run EVAL, may touch the keys that are the
/// replica's own.
[[nodiscard]] Result<void> probe_own_keys(Connection& connection);

/// Of `keys`, those of which the user may not touch view or state, in order. None when it may not
/// touch what is the replica's own either, or not even ask: then no key is at fault.
[[nodiscard]] Result<std::vector<std::string_view>> refused_keys(
    Connection& connection, std::span<const std::string_view> keys);

}  // namespace tributary::redis

/// The compare-and-set script that commits keys together with their progress.
#pragma once

#include <string_view>

namespace tributary::redis {

/// Lua 5.1, for EVALSHA; its arguments are built by commit_arguments.h. Checks every precondition
/// before its first write, because Redis does not roll a script back. Answers "OK", or names the
/// precondition that does not hold: "watermark <actor>", "version <key>" or "view <key>".
extern const std::string_view kCommitScript;

}  // namespace tributary::redis

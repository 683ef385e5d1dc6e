/// The script that commits to a replica in one step.
#pragma once

#include <string>

namespace tributary::redis {

/// For EVALSHA, with the arguments of build_commit(). Answers "OK", or what the replica did not
/// have as expected.
[[nodiscard]] const std::string& commit_script();

}  // namespace tributary::redis

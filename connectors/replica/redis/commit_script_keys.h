/// The parts of the commit script that check and write keys, in the order of CommitKeys. They stand
/// behind its prologue, see commit_script.cc.
#pragma once

#include <string_view>

namespace tributary::redis {

/// Reads, and returns from the script with what is not as expected.
extern const std::string_view kCheckKeys;
/// Defines write_keys().
extern const std::string_view kWriteKeys;

}  // namespace tributary::redis

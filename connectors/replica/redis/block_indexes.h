/// What stands beside tributary:blocked, made anew when another program dropped it; and the blocks
/// themselves, as far as what stands beside them tells which there were.
#pragma once

#include <cstdint>
#include <string_view>

#include "connectors/replica/redis/connection.h"

namespace tributary::redis {

/// In tributary:blocked:lowest from the first block on. Without it nobody can tell that hash, which
/// may be empty for want of parked changes, from one that was dropped.
inline constexpr std::string_view kMade = "made";

/// Goes over all blocked keys, a page at a time. `nonce` makes the marks of blocks made anew.
[[nodiscard]] Result<void> mend_block_indexes(Connection& connection, std::uint64_t nonce);

}  // namespace tributary::redis

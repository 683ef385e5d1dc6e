/// Inclusion between key patterns, to find keyspaces that can never match, and overlaps, to find
/// keys whose type may change. Matching itself is in tributary/crdt/schema.h.
#pragma once

#include <string_view>

namespace tributary::config {

/// Whether every key that `later` matches is matched by `earlier` too. Exact for patterns of
/// ordinary length; a pair that would take too long to decide counts as false.
[[nodiscard]] bool shadows(std::string_view earlier, std::string_view later);

/// Whether some key matches both.
[[nodiscard]] bool overlap(std::string_view a, std::string_view b);

}  // namespace tributary::config

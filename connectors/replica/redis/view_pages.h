/// The content of a view, read page by page: no call keeps the server, or waits for it, longer than
/// a few large members take. Not of one moment: the caller compares what stood before and after.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tributary/crdt/view.h>

#include "connectors/replica/redis/connection.h"

namespace tributary::redis {

using ViewValues = std::vector<std::pair<std::string, std::string>>;

/// As in KeyReading. Nullopt: it has more than `bytes`; no more than that and a page were read.
[[nodiscard]] Result<std::optional<ViewValues>> read_pages(Connection& connection,
                                                           std::string_view key,
                                                           crdt::ViewKind kind, std::size_t bytes);

}  // namespace tributary::redis

/// The JSON form of changes that `tributary write` reads. The grammar follows the registered types:
/// {"key": K, "type": T, OPERATION: OPERANDS, "context": TOKEN?}.
#pragma once

#include <string_view>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/crdt/change.h>

namespace tributary::cli {

/// The changes of one line, which is one transaction: one change object, or {"tx": [change, …]}.
/// A list of values makes one change per value. kInvalid, saying what is wrong, otherwise.
[[nodiscard]] Result<std::vector<Change>> parse_line(std::string_view line);

}  // namespace tributary::cli

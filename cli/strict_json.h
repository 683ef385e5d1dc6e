/// One line of JSON, strictly: what a lenient reader would drop or round silently is refused.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include <tributary/base/result.h>

namespace tributary::cli {

/// kInvalid, saying what is wrong and where, unless `line` is one JSON value in UTF-8 without a
/// byte order mark, no deeper than the changes of `tributary write` need, in which no object has a
/// member twice and every number is a whole one of 64 bits, written in digits.
[[nodiscard]] Result<nlohmann::json> parse_strictly(std::string_view line);

}  // namespace tributary::cli

/// Prices: whole cents inside, "2.55" outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shop {

/// Cents of "2.55", "2.5" or "2"; nullopt for anything else, and for 10 million and more.
[[nodiscard]] std::optional<std::int64_t> parse_price(std::string_view text);
/// "2.55" of 255.
[[nodiscard]] std::string format_price(std::int64_t cents);

}  // namespace shop

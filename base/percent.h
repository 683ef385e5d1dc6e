/// Percent-encoding of parts of a URL, as RFC 3986 has it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tributary {

/// nullopt when a % is not followed by two hexadecimal digits, or stands for NUL, which no server
/// takes. A + is a plus.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

/// Letters, digits, - _ . ~ and the bytes in `plain` stay; all others become %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text, std::string_view plain = "");

}  // namespace tributary

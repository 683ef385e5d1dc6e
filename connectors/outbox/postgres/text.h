/// What PostgreSQL's text type can hold: valid UTF-8 without NUL.
#pragma once

#include <string>
#include <string_view>

namespace tributary::postgres {

/// As PostgreSQL checks it: no NUL, no overlong form, no surrogate, at most U+10FFFF.
[[nodiscard]] bool fits_text(std::string_view bytes);
/// The same bytes, with '?' in place of those that text cannot hold.
[[nodiscard]] std::string made_text(std::string_view bytes);

}  // namespace tributary::postgres

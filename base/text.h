/// Bytes of unknown origin as text that a terminal, a log or a JSON parser can bear.
#pragma once

#include <string>
#include <string_view>

namespace tributary {

/// Whether the bytes are UTF-8: no overlong form, no surrogate, at most U+10FFFF. NUL is.
[[nodiscard]] bool is_utf8(std::string_view bytes);

/// For messages: control characters and bytes that are not UTF-8 as \n, \t, \xNN (a byte) or \u00NN
/// (a control character above ASCII); everything else, a backslash too, as it is. One line.
[[nodiscard]] std::string printable(std::string_view bytes);

/// For values: in quotes, as printable, with \" and \\ for quotes and backslashes, so that two
/// different values never look the same.
[[nodiscard]] std::string in_quotes(std::string_view bytes);

/// A JSON string. All control characters are \uNNNN. Bytes that are not UTF-8 have no place in
/// JSON: they are shown as \xNN in the text, with every backslash of it doubled.
[[nodiscard]] std::string json_string(std::string_view bytes);

}  // namespace tributary

#include "base/text.h"

#include <algorithm>
#include <cstdint>

#include <tributary/base/bytes.h>

namespace tributary {
namespace {

struct Sequence {
  unsigned char first;  ///< least and …
  unsigned char last;   ///< … largest first byte
  unsigned char least;  ///< of the second byte
  unsigned char most;
  std::size_t length;
};
// Table 3-7 of the Unicode standard.
constexpr Sequence kSequences[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

unsigned char byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

/// The length of the character that starts at `i`; 0 when none does.
std::size_t character(std::string_view bytes, std::size_t i) {
  const unsigned char first = byte_at(bytes, i);
  if (first < 0x80) return 1;
  for (const Sequence& each : kSequences) {
    if (first < each.first || first > each.last) continue;
    if (i + each.length > bytes.size()) return 0;
    if (byte_at(bytes, i + 1) < each.least || byte_at(bytes, i + 1) > each.most) return 0;
    for (std::size_t k = 2; k < each.length; ++k) {
      if ((byte_at(bytes, i + k) & 0xc0) != 0x80) return 0;
    }
    return each.length;
  }
  return 0;
}

void append_hex(std::string& out, std::string_view mark, unsigned char byte) {
  const char one = static_cast<char>(byte);
  out.append(mark).append(hex_of({&one, 1}));
}

/// U+0080 to U+009F, which some terminals obey.
bool is_high_control(std::string_view character) {
  return character.size() == 2 && character[0] == '\xc2' && byte_at(character, 1) < 0xa0;
}

/// Everything escaped that is no printable text; `more` are further bytes that get a backslash.
std::string escaped(std::string_view bytes, std::string_view more) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = character(bytes, i);
    const unsigned char byte = byte_at(bytes, i);
    const std::string_view text = bytes.substr(i, std::max<std::size_t>(length, 1));
    if (more.find(bytes[i]) != std::string_view::npos) out.append("\\").append(text);
    else if (byte == '\n') out += "\\n";
    else if (byte == '\t') out += "\\t";
    else if (length == 0 || byte < 0x20 || byte == 0x7f) append_hex(out, "\\x", byte);
    else if (is_high_control(text)) append_hex(out, "\\u00", byte_at(text, 1));
    else out += text;
    i += text.size();
  }
  return out;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t length = character(bytes, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string printable(std::string_view bytes) { return escaped(bytes, ""); }

std::string in_quotes(std::string_view bytes) { return '"' + escaped(bytes, "\"\\") + '"'; }

std::string json_string(std::string_view bytes) {
  if (!is_utf8(bytes)) return json_string(escaped(bytes, "\\"));
  std::string out = "\"";
  for (std::size_t i = 0; i < bytes.size();) {
    const std::string_view text = bytes.substr(i, character(bytes, i));
    const unsigned char byte = byte_at(text, 0);
    if (byte == '"' || byte == '\\') out.append("\\").append(text);
    else if (byte < 0x20 || byte == 0x7f) append_hex(out, "\\u00", byte);
    else if (is_high_control(text)) append_hex(out, "\\u00", byte_at(text, 1));
    else out += text;
    i += text.size();
  }
  return out + '"';
}

}  // namespace tributary

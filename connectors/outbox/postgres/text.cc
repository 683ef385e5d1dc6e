#include "connectors/outbox/postgres/text.h"

#include <cstddef>
#include <cstdint>

namespace tributary::postgres {
namespace {

bool continues(unsigned char byte) { return (byte & 0xc0) == 0x80; }

/// Length of the legal character at the start of `bytes`; 0 when there is none.
std::size_t character(std::string_view bytes) {
  const auto at = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : static_cast<unsigned char>(0);
  };
  const unsigned char first = at(0);
  const unsigned char second = at(1);
  if (first < 0x80) return first == 0 ? 0 : 1;
  if (first < 0xc2 || first > 0xf4 || !continues(second)) return 0;
  if (first < 0xe0) return 2;
  if (!continues(at(2))) return 0;
  if (first < 0xf0) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = first == 0xf0 && second < 0x90;
  const bool too_large = first == 0xf4 && second > 0x8f;
  return overlong || too_large || !continues(at(3)) ? 0 : 4;
}

}  // namespace

bool fits_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = character(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string made_text(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = character(bytes);
    if (length == 0) out.push_back('?');
    else out.append(bytes.substr(0, length));
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

}  // namespace tributary::postgres

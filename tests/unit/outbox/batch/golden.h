/// Bytes of a format as they stand in tests/unit/outbox/batch/golden, for review and for ever.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace tributary {

/// 32 bytes a line.
inline std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 0xf]);
    if (i % 32 == 31) out.push_back('\n');
  }
  if (bytes.size() % 32 != 0) out.push_back('\n');
  return out;
}

/// The text of a file there.
inline std::string golden(const std::string& name) {
  std::ifstream file(TRIBUTARY_SOURCE_DIR "/tests/unit/outbox/batch/golden/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace tributary

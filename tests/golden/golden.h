/// Golden files: what a format looks like, for review and for ever. They are made by the code,
/// stand in tests/golden/files, and begin with their format's number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tributary::golden {

/// Numbers of formats that the product keeps nowhere: nothing reads them.
inline constexpr std::uint64_t kStateFormat = 1;
inline constexpr std::uint64_t kContextFormat = 1;  ///< what writers are told
inline constexpr std::uint64_t kStatusFormat = 1;

struct Format {
  std::uint64_t number;
  std::string_view raised_in;  ///< the constant that is its number, and the file it stands in
};

/// Compares with the file; a difference says what to do. Under TRIBUTARY_GOLDEN=write, which is
/// `./dev golden`, writes the file instead.
void check(const std::string& file, const Format& format, const std::string& text);

/// 32 bytes a line.
[[nodiscard]] std::string hex(std::string_view bytes);
/// Lines that are a comment are left out.
[[nodiscard]] std::string without_comments(std::string_view sql);

}  // namespace tributary::golden

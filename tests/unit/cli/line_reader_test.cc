#include "cli/line_reader.h"

#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/temporary_folder.h"

namespace tributary::cli {
namespace {

using namespace std::string_literals;

/// The lines of a file with `text`; "…" for one that is too long.
std::vector<std::string> lines_of(const std::string& text) {
  constexpr std::size_t kLongest = 5;
  const TemporaryFolder folder;
  const std::string file = folder / "lines";
  std::ofstream(file, std::ios::binary) << text;
  auto reader = LineReader::open(file, kLongest);
  REQUIRE(reader);
  std::vector<std::string> lines;
  std::string line;
  for (auto read = reader->next(line); *read != LineReader::Read::kEnd; read = reader->next(line)) {
    lines.push_back(*read == LineReader::Read::kTooLong ? "…" : line);
  }
  return lines;
}

TEST_CASE("lines come whole, with NUL and without their end") {
  CHECK(lines_of("a\n\nb\0c\nd"s) == std::vector<std::string>{"a", "", "b\0c"s, "d"});
  CHECK(lines_of("").empty());
  CHECK(lines_of("a\n") == std::vector<std::string>{"a"});
}

TEST_CASE("a line that is too long is told, and the next one is read") {
  CHECK(lines_of("12345\n123456\n" + std::string(100'000, 'x') + "\nb\n1234567") ==
        std::vector<std::string>{"12345", "…", "…", "b", "…"});
}

TEST_CASE("a directory, or a file that is not there, is an error") {
  const auto directory = LineReader::open("/tmp", 10);
  REQUIRE_FALSE(directory);
  CHECK(directory.error().message == "cannot read file /tmp: Is a directory");
  CHECK(directory.error().kind == ErrorKind::kInvalid);
  const auto missing = LineReader::open("/nonexistent/file", 10);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "cannot read file /nonexistent/file: No such file or directory");
}

}  // namespace
}  // namespace tributary::cli

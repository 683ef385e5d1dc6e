#include "tests/golden/golden.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include <doctest/doctest.h>

#include <tributary/base/bytes.h>

namespace tributary::golden {
namespace {

std::string path_of(const std::string& file) {
  return TRIBUTARY_SOURCE_DIR "/tests/golden/files/" + file;
}

std::string read(const std::string& file) {
  std::ifstream in(path_of(file), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const std::string& file, const std::string& text) {
  std::ofstream out(path_of(file), std::ios::binary | std::ios::trunc);
  out << text;
  REQUIRE_MESSAGE(out.flush().good(), path_of(file) << " cannot be written");
}

std::string first_line(const Format& format) {
  return "format " + std::to_string(format.number) + "\n";
}

std::string first_difference(const std::string& golden, const std::string& made) {
  std::istringstream old_lines(golden);
  std::istringstream new_lines(made);
  for (int number = 1; old_lines || new_lines; ++number) {
    std::string was = "(no line)";
    std::string is = "(no line)";
    std::getline(old_lines, was);
    std::getline(new_lines, is);
    if (was == is) continue;
    return "line " + std::to_string(number) + "\n  golden: " + was + "\n  now:    " + is;
  }
  return "the end of the last line";
}

std::string advice(const Format& format, const std::string& golden) {
  std::string steps;
  if (golden.starts_with(first_line(format))) {
    steps = "  1. raise " + std::string(format.raised_in) + ", which is " +
            std::to_string(format.number) + "\n";
  } else {
    steps = "  1. its number, " + std::string(format.raised_in) + ", was changed: keep it\n";
  }
  return "Was that not meant? Then the code is wrong. If it was:\n" + steps +
         "  2. ./dev golden writes the file anew; look at what git diff says of it\n"
         "  3. say in CHANGELOG.md what becomes of what there is, and change the page in "
         "docs/formats\n";
}

}  // namespace

void check(const std::string& file, const Format& format, const std::string& text) {
  const std::string made = first_line(format) + text;
  const char* mode = std::getenv("TRIBUTARY_GOLDEN");
  if (mode != nullptr && std::string_view(mode) == "write") return write(file, made);
  const std::string golden = read(file);
  if (golden == made) return;
  const std::string what =
      golden.empty() ? "is not there" : "differs: " + first_difference(golden, made);
  FAIL_CHECK("tests/golden/files/" << file << " " << what << "\n" << advice(format, golden));
}

std::string hex(std::string_view bytes) {
  constexpr std::size_t kLine = 32;
  std::string out;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kLine))) {
    out += hex_of(bytes.substr(0, kLine)) + '\n';
  }
  return out;
}

std::string without_comments(std::string_view sql) {
  std::istringstream lines{std::string(sql)};
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const auto text = line.find_first_not_of(' ');
    if (text == std::string::npos || line.compare(text, 2, "--") == 0) continue;
    out += line + '\n';
  }
  return out;
}

}  // namespace tributary::golden

/// Log lines: one event is one line, and a JSON line is JSON, whatever bytes the fields hold.
#include <cstdio>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include <tributary/base/log.h>

namespace tributary {
namespace {

using namespace std::string_literals;

/// What `action` writes to stderr.
template <typename Action>
std::string stderr_of(Action action) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fflush(stderr);
  const int saved = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  action();
  std::fflush(stderr);
  dup2(saved, STDERR_FILENO);
  close(saved);
  std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
  std::rewind(file);
  CHECK(std::fread(text.data(), 1, text.size(), file) == text.size());
  std::fclose(file);
  return text;
}

std::string logged(log::Format format, const std::string& sentence, const std::string& value) {
  std::string text = stderr_of([&] {
    log::configure("re%v\"lay", log::Level::kInfo, format);
    log::warn(sentence, {{"key", value}, {"count", 3}});
  });
  log::configure("unit", log::Level::kOff, log::Format::kText);
  return text.substr(text.find(format == log::Format::kJson ? "\"level\"" : "warn"));
}

TEST_CASE("a JSON log line is JSON whatever bytes it is given") {
  CHECK(logged(log::Format::kJson, "said {} %v \"x\"\n", "a\xff\x1b[31m\0\\"s) ==
        "\"level\":\"warning\",\"process\":\"re%v\\\"lay\",\"message\":\"said {} %v "
        "\\\"x\\\"\\u000a\",\"key\":\"a\\\\xff\\\\x1b[31m\\\\x00\\\\\\\\\",\"count\":3}\n");
}

TEST_CASE("a text log line is one line without control characters") {
  CHECK(logged(log::Format::kText, "said\nlevel=error", "a b\n\x1b[2J\xff\"\xc2\x9b") ==
        "warning re%v\"lay: said\\nlevel=error key=\"a b\\n\\x1b[2J\\xff\\\"\\u009b\" count=3\n");
}

TEST_CASE("a plain value stands without quotes, an empty one with them") {
  CHECK(logged(log::Format::kText, "s", "stock:1") == "warning re%v\"lay: s key=stock:1 count=3\n");
  CHECK(logged(log::Format::kText, "s", "") == "warning re%v\"lay: s key=\"\" count=3\n");
}

}  // namespace
}  // namespace tributary

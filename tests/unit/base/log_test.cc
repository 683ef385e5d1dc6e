/// Log lines: one event is one line, and a JSON line is JSON, whatever bytes the fields hold.
#include "base/log.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/unit/stderr_of.h"

namespace tributary {
namespace {

using namespace std::string_literals;

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

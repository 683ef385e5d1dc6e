/// What `tributary read` prints for values that are any bytes.
#include "cli/reading_text.h"

#include <string>

#include <doctest/doctest.h>

namespace tributary::cli {
namespace {

using namespace std::string_literals;

KeyReading reading_of(const std::string& value) {
  KeyReading reading;
  reading.type = "register";
  reading.exists = true;
  reading.values = {{"", value}};
  return reading;
}

std::string text_of(const std::string& value) {
  const std::string text = as_text(reading_of(value));
  const std::size_t start = text.find("value:   ") + 9;
  return text.substr(start, text.find('\n', start) - start);
}

std::string json_of(const KeyReading& reading) {
  const std::string json = as_json("k", {"eu"}, reading);
  const std::size_t start = json.find("\"value\":") + 8;
  return json.substr(start, json.find(",\"context\"") - start);
}

TEST_CASE("a value is shown whole and on one line") {
  CHECK(text_of("2.55") == "2.55");
  CHECK(text_of("a b") == "a b");
  CHECK(text_of("a\0b"s) == "\"a\\x00b\"");
  CHECK(text_of("\x1b[31mred\n") == "\"\\x1b[31mred\\n\"");
  CHECK(text_of("\xff") == "\"\\xff\"");
}

TEST_CASE("what looks like something else stands in quotes") {
  CHECK(text_of("") == "\"\"");
  CHECK(text_of("(none)") == "\"(none)\"");
  CHECK(text_of("\"\\xff\"") == "\"\\\"\\\\xff\\\"\"");
  CHECK(text_of(" a") == "\" a\"");
}

TEST_CASE("in JSON, bytes that are not UTF-8 are base64") {
  CHECK(json_of(reading_of("a\0\x1b\x7f\xc2\x9b é"s)) == R"("a\u0000\u001b\u007f\u009b é")");
  CHECK(json_of(reading_of("\xff")) == R"({"base64":"/w=="})");
  CHECK(json_of(reading_of("\xff\xfe")) == R"({"base64":"//4="})");
  CHECK(json_of(reading_of("\xff\xfe\xfd")) == R"({"base64":"//79"})");
  CHECK(json_of(reading_of("\\xff")) == R"("\\xff")");
}

TEST_CASE("members and fields are shown like values") {
  KeyReading set = reading_of("");
  set.view = crdt::ViewKind::kSet;
  set.values = {{"a", ""}, {"b\n\xff", ""}};
  CHECK(as_text(set).find("value:   [\"a\",\"b\\n\\xff\"]\n") != std::string::npos);
  CHECK(json_of(set) == R"(["a",{"base64":"Ygr/"}])");
  KeyReading hash = set;
  hash.view = crdt::ViewKind::kHash;
  hash.values = {{"f", "\xff"}};
  CHECK(json_of(hash) == R"({"f":{"base64":"/w=="}})");
  hash.values = {{"f", "1"}, {"\xff", "2"}};
  CHECK(json_of(hash) == R"([["f","1"],[{"base64":"/w=="},"2"]])");
}

TEST_CASE("a key that is not there is null, an empty one is not") {
  KeyReading nothing;
  CHECK(json_of(nothing) == "null");
  CHECK(as_text(nothing).find("value:   (none)\n") != std::string::npos);
}

}  // namespace
}  // namespace tributary::cli

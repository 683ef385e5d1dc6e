/// The lines that `tributary write` reads: whatever is not exactly what it says is refused.
#include "cli/change_json.h"

#include <string>

#include <doctest/doctest.h>

namespace tributary::cli {
namespace {

using namespace std::string_literals;

/// Why the line is refused; empty when it is not.
std::string refusal(const std::string& line) {
  const auto parsed = parse_line(line);
  if (parsed) return "";
  CHECK(parsed.error().kind == ErrorKind::kInvalid);
  return parsed.error().message;
}

std::string adding(const std::string& amount) {
  return R"({"key":"stock:1","type":"counter","add":)" + amount + "}";
}

TEST_CASE("a member that stands twice is refused by name, at any depth") {
  const std::string twice = " stands twice in one object; keep one of them, or make two changes";
  CHECK(refusal(R"({"key":"a","type":"counter","add":5,"add":7})") == "member \"add\"" + twice);
  CHECK(refusal(R"({"key":"a","k\u0065y":"b","type":"counter","add":5})") ==
        "member \"key\"" + twice);
  CHECK(refusal(R"({"tx":[],"tx":[]})") == "member \"tx\"" + twice);
  CHECK(refusal(R"({"tx":[{"key":"a","type":"set","add":["x"],"add":["y"]}]})") ==
        "member \"add\"" + twice);
  CHECK(refusal(R"({"key":"a","type":"map","put":{"f":"1","f":"2"}})") == "member \"f\"" + twice);
}

TEST_CASE("two operations in one change are refused, both by name") {
  CHECK(refusal(R"({"key":"c","type":"set","add":["x"],"remove":["y"]})") ==
        "\"add\" and \"remove\" stand in one change; make two of it, in {\"tx\": [change, "
        "change]}");
}

TEST_CASE("beside tx there is nothing, and within it no tx") {
  const std::string change = adding("1");
  CHECK(refusal(R"({"tx":[)" + change + R"(],"key":"a"})") ==
        "beside \"tx\" there may be nothing else, here is \"key\"");
  CHECK(refusal(R"({"tx":[)" + change + R"(],"zz":"a"})").find("\"zz\"") != std::string::npos);
  CHECK(refusal(R"({"tx":[{"tx":[)" + change + R"(]}]})") ==
        "change 1: \"tx\" stands within \"tx\"");
  CHECK(refusal(R"({"tx":[)" + change + "," + change + "]}").empty());
}

TEST_CASE("no depth of nesting crashes") {
  for (const std::string open : {"[", "{\"a\":", "[{\"a\":"}) {
    std::string line;
    for (int i = 0; i < 1'000'000; ++i) line += open;
    CHECK(refusal(line) == "it is nested deeper than 8 levels; a change needs five at most");
  }
  CHECK(refusal("[[[[[[[[]]]]]]]]") == "a change must be a JSON object, it is [[[[[[[[]]]]]]]]");
}

TEST_CASE("a number that is not whole, or not 64 bits, is refused as it is written") {
  const std::string written =
      " has a fraction or an exponent; write whole numbers in digits, and anything else as a "
      "string";
  CHECK(refusal(adding("1e3")) == "\"add\": 1e3" + written);
  CHECK(refusal(adding("1.0")) == "\"add\": 1.0" + written);
  CHECK(refusal(adding("-0.0")) == "\"add\": -0.0" + written);
  CHECK(refusal(adding("-0")) == "\"add\": -0 is no whole number; write 0");
  for (const char* large : {"9223372036854775808", "18446744073709551616", "-9223372036854775809",
                            "100000000000000000000000000000"}) {
    INFO(large);
    CHECK(refusal(adding(large)).find("9223372036854775807") != std::string::npos);
    CHECK(refusal(adding(large)).find(large) != std::string::npos);
  }
  CHECK_FALSE(refusal(adding("1e999")).empty());
  CHECK(refusal(adding("0")).empty());
  CHECK(refusal(adding("9223372036854775807")).empty());
  CHECK(parse_line(adding("-9223372036854775807"))->front().amount == -9'223'372'036'854'775'807);
}

TEST_CASE("bytes that no JSON may hold are refused by name") {
  CHECK(refusal("{\"key\":\"a\0b\"}"s) == "byte 10 is NUL; write \\u0000 in a JSON string");
  CHECK(refusal("{\"key\":\"a\xff\"}") == "it is not UTF-8; JSON has to be");
  CHECK(refusal("\xef\xbb\xbf{}") == "it starts with a byte order mark; only the first line may");
  CHECK(refusal(R"({"key":"\ud800"})").starts_with("it is not JSON, from byte "));
  CHECK(refusal(adding("1") + adding("1")).starts_with("it is not JSON, from byte "));
  CHECK(refusal(adding("1") + "\r").empty());
  for (const char* bad :
       {"{", "null x", "{'a':1}", "{\"a\":NaN}", "[1,]", "\"", "{\"key\":\"a\nb\"}"}) {
    INFO(bad);
    CHECK(refusal(bad).starts_with("it is not JSON"));
  }
}

TEST_CASE("a message shows no more than the start of a long value, and no control character") {
  const std::string line =
      R"({"key":"k","type":"counter","add":")" + std::string(100'000, 'x') + "\"}";
  CHECK(refusal(line).size() < 300);
  const std::string type = refusal(R"({"key":"k","type":"\u001b[31m","add":1})");
  CHECK(type == "there is no type \"\\x1b[31m\"");
}

}  // namespace
}  // namespace tributary::cli

/// Any bytes as text: whole, on one line, and never two values with one look.
#include "base/text.h"

#include <set>
#include <string>

#include <doctest/doctest.h>

#include "base/percent.h"

namespace tributary {
namespace {

using namespace std::string_literals;

TEST_CASE("UTF-8 is told from what only looks like it") {
  for (const std::string& good : {""s, "a\0b"s, "é€😀"s, "\xed\x9f\xbf"s, "\xf4\x8f\xbf\xbf"s}) {
    CHECK(is_utf8(good));
  }
  for (const std::string& bad :
       {"\x80"s, "\xc0\x80"s, "\xe0\x9f\xbf"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s, "\xc3"s,
        "\xe2\x82"s, "\xf0\x9f\x98 x"s, "\xff"s}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("a message keeps its letters and loses its control characters") {
  CHECK(printable("prix é\\n") == "prix é\\n");
  CHECK(printable("a\nb\t\x1b[31m\x7f\0c"s) == "a\\nb\\t\\x1b[31m\\x7f\\x00c");
  CHECK(printable("\xc2\x9b"
                  "31m \xff") == "\\u009b31m \\xff");
}

TEST_CASE("two different values never look the same in quotes") {
  const std::string parts[] = {"\\", "x",  "ff",    "\xff",     "\n",
                               "n",  "\"", "u009b", "\xc2\x9b", "\0"s};
  std::set<std::string> values;
  std::set<std::string> looks;
  for (const std::string& a : parts) {
    for (const std::string& b : parts) {
      for (const std::string& c : parts) {
        values.insert(a + b + c);
        looks.insert(in_quotes(a + b + c));
      }
    }
  }
  CHECK(looks.size() == values.size());
}

TEST_CASE("a JSON string is always JSON, and harmless on a terminal") {
  CHECK(json_string("a\"b\\é\n\0"s) == "\"a\\\"b\\\\é\\u000a\\u0000\"");
  CHECK(json_string("\x1b\x7f\xc2\x9b") == "\"\\u001b\\u007f\\u009b\"");
  CHECK(json_string("\xff\\") == "\"\\\\xff\\\\\\\\\"");
}

TEST_CASE("what is percent-encoded comes back, and nothing else is taken") {
  const std::string password = "p:w/d@1%?#&=+ \xc3\xa9";
  CHECK(percent_encoded(password) == "p%3Aw%2Fd%401%25%3F%23%26%3D%2B%20%C3%A9");
  CHECK(percent_decoded(percent_encoded(password)) == password);
  CHECK(percent_decoded("a+b%2f") == "a+b/");
  for (const char* bad : {"%", "%4", "%zz", "100%", "%00"}) CHECK_FALSE(percent_decoded(bad));
}

}  // namespace
}  // namespace tributary

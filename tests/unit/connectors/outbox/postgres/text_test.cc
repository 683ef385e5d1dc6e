#include "connectors/outbox/postgres/text.h"

#include <doctest/doctest.h>

namespace tributary::postgres {

TEST_CASE("text holds what PostgreSQL takes for UTF-8") {
  for (const std::string_view good :
       {"", "plain", "\x01\x7f", "é", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xef\xbf\xbf",
        "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(fits_text(good));
    CHECK(made_text(good) == good);
  }
}

TEST_CASE("text holds no NUL, no half character, no overlong form and no surrogate") {
  using namespace std::string_view_literals;
  for (const std::string_view bad :
       {"\0"sv, "a\0b"sv, "\x80"sv, "\xff"sv, "\xc3"sv, "a\xe2\x82"sv, "\xc0\x80"sv, "\xc1\xbf"sv,
        "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv, "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv,
        "\xf5\x80\x80\x80"sv, "\xf0\x90\x80"sv}) {
    CHECK(!fits_text(bad));
    CHECK(fits_text(made_text(bad)));
    CHECK(made_text(bad).size() == bad.size());
  }
  CHECK(made_text("caf\xc3 \xc3\xa9") == "caf? \xc3\xa9");
}

}  // namespace tributary::postgres

#include "connectors/outbox/postgres/params.h"

#include <limits>

#include <doctest/doctest.h>

namespace tributary::postgres {

using namespace std::string_view_literals;

TEST_CASE("an array is encoded as PostgreSQL's array_send does") {
  ArrayParam array(SqlType::kBytea);
  array.add("ab"sv);
  array.add_null();
  array.add(""sv);
  CHECK(array.finish() ==
        "\0\0\0\1\0\0\0\1\0\0\0\x11\0\0\0\3\0\0\0\1"
        "\0\0\0\2ab\xff\xff\xff\xff\0\0\0\0"sv);
  ArrayParam numbers(SqlType::kBigint);
  numbers.add(std::int64_t{-2});
  CHECK(numbers.finish() ==
        "\0\0\0\1\0\0\0\1\0\0\0\x14\0\0\0\1\0\0\0\1"
        "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xfe"sv);
}

TEST_CASE("parameters keep 64-bit integers exact") {
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  Params params;
  params.add(least).add(most).add(std::int64_t{1} << 53 | 1).add_null().add("x"sv).add(""sv);
  REQUIRE(params.count() == 6);
  CHECK(read_bigint(params.values()[0]) == least);
  CHECK(read_bigint(params.values()[1]) == -1);
  CHECK(read_bigint(params.values()[2]) == (std::int64_t{1} << 53 | 1));
  CHECK(params.values()[3] == nullptr);
  CHECK(params.lengths()[4] == 1);
  CHECK(params.values()[5] != nullptr);
  CHECK(params.lengths()[5] == 0);
}

}  // namespace tributary::postgres

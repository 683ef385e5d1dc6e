#include <charconv>
#include <cstdlib>

#include <libpq-fe.h>

#include <tributary/connectors/postgres/cells.h>
#include <tributary/connectors/postgres/params.h>

namespace tributary::postgres {

std::string_view bytes_at(const PGresult* result, int row, int column) {
  return {PQgetvalue(result, row, column),
          static_cast<std::size_t>(PQgetlength(result, row, column))};
}

std::int64_t bigint_at(const PGresult* result, int row, int column) {
  return PQgetisnull(result, row, column) != 0 ? 0 : read_bigint(PQgetvalue(result, row, column));
}

std::uint64_t unsigned_at(const PGresult* result, int row, int column) {
  return static_cast<std::uint64_t>(bigint_at(result, row, column));
}

bool bool_at(const PGresult* result, int row, int column) {
  return *PQgetvalue(result, row, column) != 0;  // of NULL an empty string
}

bool null_at(const PGresult* result, int row, int column) {
  return PQgetisnull(result, row, column) != 0;
}

std::optional<std::int64_t> read_integer(std::string_view numeric) {
  const std::size_t point = numeric.find('.');
  if (point != std::string_view::npos &&
      numeric.find_first_not_of('0', point + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view whole = numeric.substr(0, point);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (error != std::errc{} || end != whole.data() + whole.size()) return std::nullopt;
  return value;
}

std::string text_at(const PGresult* result, int row, int column) {
  return std::string(bytes_at(result, row, column));
}

std::optional<ActorId> actor_at(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return std::nullopt;
  return ActorId{unsigned_at(result, row, column)};
}

std::uint64_t affected(const PGresult* result) {
  return std::strtoull(PQcmdTuples(const_cast<PGresult*>(result)), nullptr, 10);
}

}  // namespace tributary::postgres

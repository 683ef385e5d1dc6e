#include "connectors/outbox/postgres/errors.h"

#include <algorithm>
#include <array>
#include <string>

#include <libpq-fe.h>

namespace tributary::postgres {
namespace {

bool one_of(std::string_view sqlstate, auto list) {
  return std::find(list.begin(), list.end(), sqlstate) != list.end();
}

bool transient(std::string_view sqlstate) {
  constexpr std::array kClasses{std::string_view("08"), std::string_view("53"),
                                std::string_view("58")};
  // Serialization, deadlock, lock and statement timeouts, idle timeout, a standby, recovery.
  constexpr std::array<std::string_view, 7> kStates{"40001", "40P01", "55P03", "57014",
                                                    "25P03", "25006", "55000"};
  return sqlstate.starts_with("57P") || one_of(sqlstate.substr(0, 2), kClasses) ||
         one_of(sqlstate, kStates);
}

bool missing_schema(std::string_view sqlstate) {
  constexpr std::array<std::string_view, 4> kStates{"42P01", "42883", "42703", "3F000"};
  return one_of(sqlstate, kStates);
}

std::string_view advice(std::string_view sqlstate) {
  if (missing_schema(sqlstate)) {
    return "; the outbox tables are missing or old: run `tributary topology apply`";
  }
  if (sqlstate == "42501") return "; grant this role what docs/sql.md lists for it";
  return {};
}

}  // namespace

void ClearResult::operator()(PGresult* result) const { PQclear(result); }

std::string one_line(std::string_view text) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::string out(text);
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

ErrorKind kind_of(std::string_view sqlstate) {
  if (sqlstate == kNotLeader) return ErrorKind::kConflict;
  if (sqlstate == kRefused) return ErrorKind::kInvalid;
  return transient(sqlstate) ? ErrorKind::kTransient : ErrorKind::kFatal;
}

Error broken(const PGconn* connection) {
  const std::string why = one_line(PQerrorMessage(connection));
  return Error{ErrorKind::kTransient,
               "the connection to PostgreSQL is broken: " + (why.empty() ? "closed" : why)};
}

Error error_of(const PGresult* result, const PGconn* connection) {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (state == nullptr || PQstatus(connection) == CONNECTION_BAD) return broken(connection);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  std::string message = "PostgreSQL: " + one_line(primary == nullptr ? "no message" : primary);
  if (const char* hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT)) {
    message.append("; ").append(one_line(hint));
  }
  message.append(advice(state)).append(" (SQLSTATE ").append(state).append(")");
  return Error{kind_of(state), std::move(message)};
}

}  // namespace tributary::postgres

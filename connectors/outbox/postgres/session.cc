#include "connectors/outbox/postgres/session.h"

#include <algorithm>
#include <array>
#include <vector>

#include <libpq-fe.h>

namespace tributary::postgres {
namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

std::string value_of(const PQconninfoOption* options, std::string_view keyword) {
  for (const PQconninfoOption* each = options; each->keyword != nullptr; ++each) {
    if (keyword == each->keyword && each->val != nullptr) return each->val;
  }
  return {};
}

/// Where and as whom, without secrets.
std::string place(PGconn* connection) {
  const auto text = [](const char* value) { return std::string(value == nullptr ? "" : value); };
  return "PostgreSQL database \"" + text(PQdb(connection)) + "\" at " + text(PQhost(connection)) +
         ":" + text(PQport(connection)) + " as \"" + text(PQuser(connection)) + "\"";
}

bool code_at(std::string_view text, std::size_t at) {
  constexpr std::size_t kLength = 5;
  if (text.size() < at + kLength + 1 || text[at + kLength] != ':') return false;
  return std::ranges::all_of(text.substr(at, kLength), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
  });
}

/// The SQLSTATE in a verbose message, which libpq gives no other way while connecting:
/// "…:  3D000: database …", whatever the language. The last, if there are several servers.
std::string sqlstate_in(std::string_view why) {
  for (std::size_t at = why.rfind(':'); at != std::string_view::npos && at > 0;
       at = why.rfind(':', at - 1)) {
    const std::size_t word = why.find_first_not_of(' ', at + 1);
    if (word != std::string_view::npos && code_at(why, word))
      return std::string(why.substr(word, 5));
  }
  return {};
}

/// Without the lines that name the server's sources: "LOCATION:  auth_failed, auth.c:329".
std::string without_locations(std::string_view why) {
  std::string out;
  while (!why.empty()) {
    const std::size_t end = std::min(why.find('\n'), why.size());
    const std::string_view line = why.substr(0, end);
    if (line.find(".c:") == std::string_view::npos) out.append(line).push_back('\n');
    why.remove_prefix(std::min(end + 1, why.size()));
  }
  return one_line(out);
}

std::string_view advice(std::string_view state) {
  if (state == "3D000") return "; create it: createdb --encoding=UTF8 --template=template0 ";
  if (state == "28P01") return "; correct the password";
  if (state == "28000") return "; create the role, or let it in by pg_hba.conf";
  if (state == "42501") return "; GRANT CONNECT ON DATABASE to this role";
  if (state == "08P01") {
    return "; if this is a connection pooler: give the origin a URL that leads to PostgreSQL "
           "itself, services may use the pooler";
  }
  return {};
}

/// Asks once more, for the error's code: which decides, since the words may be in any language.
Error unreachable(PGconn* connection) {
  const bool password = PQconnectionNeedsPassword(connection) != 0;
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  PQreset(connection);
  const std::string why = PQerrorMessage(connection);
  const std::string state = sqlstate_in(why);
  std::string message = place(connection) + ": " + without_locations(why);
  message.append(advice(state)).append(state == "3D000" ? PQdb(connection) : "");
  if (password && state.empty()) message += "; give a password, in the URL or in a passfile";
  const bool refused = password || state.starts_with("28") || state == "3D000" ||
                       state == "42501" || state == "08P01";
  return Error{refused ? ErrorKind::kFatal : ErrorKind::kTransient, std::move(message)};
}

}  // namespace

void FinishConnection::operator()(PGconn* connection) const { PQfinish(connection); }

Result<ConnectionHandle> connect(const std::string& url, std::string_view application,
                                 std::string_view settings, Millis deadline) {
  char* complaint = nullptr;
  const Options parsed(PQconninfoParse(url.c_str(), &complaint));
  PQfreemem(complaint);
  if (parsed == nullptr) {
    return fail(ErrorKind::kInvalid,
                "the database URL cannot be read; give postgresql://user@host:port/database");
  }
  std::string options = value_of(parsed.get(), "options");
  options.append(options.empty() ? "" : " ").append(settings);
  const std::string name(application);
  const std::string seconds = std::to_string(std::max<std::int64_t>(2, deadline.count() / 1000));
  const std::string unanswered = std::to_string(std::max<std::int64_t>(2000, deadline.count()));
  // What stands behind "dbname" in the list overrides what the URL says; what stands before it is
  // overridden by the URL. SQL_ASCII passes text bytes on as they are.
  constexpr std::array kKeywords{"keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "connect_timeout",
                                 "tcp_user_timeout",
                                 "target_session_attrs",
                                 "application_name",
                                 "dbname",
                                 "options",
                                 "client_encoding",
                                 static_cast<const char*>(nullptr)};
  const std::array values{"5",
                          "2",
                          "3",
                          seconds.c_str(),
                          unanswered.c_str(),
                          "read-write",
                          name.c_str(),
                          url.c_str(),
                          options.c_str(),
                          "SQL_ASCII",
                          static_cast<const char*>(nullptr)};
  ConnectionHandle connection(PQconnectdbParams(kKeywords.data(), values.data(), 1));
  if (connection == nullptr) return fail(ErrorKind::kFatal, "out of memory");
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    Error error = unreachable(connection.get());
    if (PQstatus(connection.get()) != CONNECTION_OK) return fail(std::move(error));
    PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  }
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

Result<ResultHandle> run(PGconn* connection, const std::string& sql) {
  ResultHandle result(PQexec(connection, sql.c_str()));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    return fail(error_of(result.get(), connection));
  }
  return result;
}

}  // namespace tributary::postgres

#include <algorithm>
#include <array>
#include <vector>

#include <libpq-fe.h>

#include <tributary/connectors/postgres/session.h>

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

Error unreachable(PGconn* connection) {
  const std::string why = one_line(PQerrorMessage(connection));
  const auto says = [&](std::string_view words) { return why.find(words) != std::string::npos; };
  std::string message = place(connection) + ": " + why;
  if (says("database \"") && says("does not exist")) {
    return Error{
        ErrorKind::kFatal,
        message + "; create it: createdb --encoding=UTF8 --template=template0 " + PQdb(connection)};
  }
  const bool refused = says("authentication failed") || says("does not exist") ||
                       says("no pg_hba.conf entry") || says("no password supplied");
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
  // overridden by the URL.
  constexpr std::array kKeywords{"keepalives_idle",  "keepalives_interval",
                                 "keepalives_count", "connect_timeout",
                                 "tcp_user_timeout", "target_session_attrs",
                                 "application_name", "dbname",
                                 "options",          static_cast<const char*>(nullptr)};
  const std::array values{
      "5",          "2",          "3",         seconds.c_str(), unanswered.c_str(),
      "read-write", name.c_str(), url.c_str(), options.c_str(), static_cast<const char*>(nullptr)};
  ConnectionHandle connection(PQconnectdbParams(kKeywords.data(), values.data(), 1));
  if (connection == nullptr) return fail(ErrorKind::kFatal, "out of memory");
  if (PQstatus(connection.get()) != CONNECTION_OK) return fail(unreachable(connection.get()));
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

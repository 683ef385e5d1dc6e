#include <libpq-fe.h>

#include <tributary/connectors/postgres/outbox_store.h>
#include <tributary/connectors/postgres/schema_sql.h>
#include <tributary/connectors/postgres/session.h>

namespace tributary::postgres {
namespace {

std::string text(const ResultHandle& result, int column) {
  return PQgetvalue(result.get(), 0, column);
}

Result<void> check_server(PGconn* connection) {
  constexpr int kOldestServer = 140000;
  if (PQserverVersion(connection) < kOldestServer) {
    return fail(ErrorKind::kInvalid, "PostgreSQL " + std::to_string(PQserverVersion(connection)) +
                                         " is too old: 14 or later is needed");
  }
  const char* encoding = PQparameterStatus(connection, "server_encoding");
  const std::string_view name = encoding == nullptr ? "" : encoding;
  if (name != "UTF8" && name != "SQL_ASCII") {
    return fail(ErrorKind::kInvalid, "the database's encoding is " + std::string(name) +
                                         ": create it with --encoding=UTF8 --template=template0");
  }
  return {};
}

/// An outbox that is there already must be ours and not newer than we are.
Result<void> check_present(PGconn* connection, const OriginName& origin) {
  TRIBUTARY_ASSIGN(const ResultHandle table,
                   run(connection, "SELECT to_regclass('public.tributary_origin')"));
  if (PQgetisnull(table.get(), 0, 0) != 0) return {};
  TRIBUTARY_ASSIGN(const ResultHandle row,
                   run(connection, "SELECT name, schema_version FROM public.tributary_origin"));
  if (PQntuples(row.get()) == 0) return {};
  if (text(row, 0) != origin.value) {
    return fail(ErrorKind::kInvalid, "the database is the outbox of origin \"" + text(row, 0) +
                                         "\": give every origin a database of its own");
  }
  if (std::stoll(text(row, 1)) > kSchemaVersion) {
    return fail(ErrorKind::kInvalid, "the outbox tables are of version " + text(row, 1) +
                                         ", this program knows " + std::to_string(kSchemaVersion) +
                                         ": use a newer tributary");
  }
  return {};
}

std::string schema_script(const OriginName& origin, const Schema& schema) {
  std::string sql(tables_sql());
  sql += functions_sql();
  sql += operations_sql();
  sql += rules_sql(schema);
  const std::string version = std::to_string(kSchemaVersion);
  sql += "INSERT INTO public.tributary_origin (name, schema_version) VALUES (" +
         quote(origin.value) + ", " + version +
         ") ON CONFLICT (only_row) DO UPDATE SET schema_version = " + version + ";\n";
  return sql;
}

Result<void> apply(PGconn* connection, const OriginName& origin, const Schema& schema) {
  TRIBUTARY_TRY(check_server(connection));
  TRIBUTARY_TRY(run(connection, "BEGIN; SELECT pg_advisory_xact_lock(1953653092, 0)"));
  TRIBUTARY_TRY(check_present(connection, origin));
  TRIBUTARY_TRY(run(connection, schema_script(origin, schema)));
  TRIBUTARY_TRY(run(connection, "COMMIT"));
  return {};
}

}  // namespace

Result<void> apply_schema(const std::string& url, const OriginName& origin, const Schema& schema,
                          Millis deadline) {
  const std::string timeout = std::to_string(deadline.count());
  TRIBUTARY_ASSIGN(const ConnectionHandle connection,
                   connect(url, "tributary-topology",
                           "-c client_min_messages=warning -c client_encoding=UTF8 "
                           "-c lock_timeout=" +
                               timeout + " -c statement_timeout=" + timeout,
                           deadline));
  return apply(connection.get(), origin, schema);
}

}  // namespace tributary::postgres

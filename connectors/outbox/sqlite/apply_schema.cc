#include <sqlite3.h>

#include "connectors/outbox/sqlite/database.h"
#include "connectors/outbox/sqlite/outbox_store.h"
#include "connectors/outbox/sqlite/rules.h"
#include "connectors/outbox/sqlite/schema_sql.h"

namespace tributary::sqlite {
namespace {

/// An outbox that is there already must be ours and of our version.
Result<void> check_present(sqlite3* connection, const OriginName& origin) {
  TRIBUTARY_ASSIGN(Statement table,
                   Statement::prepare(
                       connection, "SELECT 1 FROM sqlite_schema WHERE name = 'tributary_origin'"));
  TRIBUTARY_ASSIGN(const bool exists, table.step());
  if (!exists) return {};
  TRIBUTARY_ASSIGN(Statement row,
                   Statement::prepare(connection, "SELECT name FROM tributary_origin"));
  TRIBUTARY_ASSIGN(const bool filled, row.step());
  if (filled && row.bytes(0) != origin.value) {
    return fail(ErrorKind::kInvalid, "the database is the outbox of origin \"" +
                                         std::string(row.bytes(0)) +
                                         "\": give every origin a database of its own");
  }
  return check_version(connection);
}

Result<void> check_encoding(sqlite3* connection) {
  TRIBUTARY_ASSIGN(Statement encoding, Statement::prepare(connection, "PRAGMA encoding"));
  TRIBUTARY_TRY(encoding.step());
  if (encoding.bytes(0) == "UTF-8") return {};
  return fail(ErrorKind::kInvalid, "the database's encoding is " + std::string(encoding.bytes(0)) +
                                       ": an outbox needs UTF-8");
}

/// Whether `sql` is what was applied last, and the triggers are still there.
Result<bool> applied(sqlite3* connection, const std::string& sql) {
  TRIBUTARY_ASSIGN(Statement table, Statement::prepare(connection,
                                                       "SELECT count(*) FROM sqlite_schema "
                                                       "WHERE name = 'tributary_applied' "
                                                       "OR type = 'trigger' AND name IN ("
                                                       "'tributary_check_change', "
                                                       "'tributary_complete_change', "
                                                       "'tributary_end_transaction')"));
  TRIBUTARY_TRY(table.step());
  if (table.integer(0) != 4) return false;
  TRIBUTARY_ASSIGN(Statement row,
                   Statement::prepare(connection, "SELECT 1 FROM tributary_applied WHERE sql = ?"));
  return row.add_text(sql).step();
}

Result<void> apply(sqlite3* connection, const OriginName& origin, const Schema& schema) {
  TRIBUTARY_TRY(check_encoding(connection));
  TRIBUTARY_TRY(check_present(connection, origin));
  TRIBUTARY_TRY(execute(connection, "PRAGMA journal_mode = WAL"));
  std::string sql(tables_sql());
  sql += triggers_sql();
  sql += rules_sql(schema);
  const std::string version = std::to_string(kSchemaVersion);
  sql += "INSERT INTO tributary_origin (only_row, name, schema_version) VALUES (1, " +
         quote(origin.value) + ", " + version +
         ") ON CONFLICT (only_row) DO UPDATE SET schema_version = " + version + ";\n";
  TRIBUTARY_ASSIGN(const bool same, applied(connection, sql));
  if (same) return {};
  TRIBUTARY_TRY(execute(connection, "BEGIN IMMEDIATE"));
  TRIBUTARY_TRY(check_present(connection, origin));
  TRIBUTARY_TRY(execute(connection, sql.c_str()));
  {
    TRIBUTARY_ASSIGN(
        Statement row,
        Statement::prepare(connection, "INSERT OR REPLACE INTO tributary_applied VALUES (1, ?)"));
    TRIBUTARY_TRY(row.add_text(sql).run());
  }
  return execute(connection, "COMMIT");
}

}  // namespace

Result<void> apply_schema(const std::string& url, const OriginName& origin, const Schema& schema,
                          Millis busy) {
  TRIBUTARY_ASSIGN(const ConnectionHandle connection, open_database(url, true, busy));
  return apply(connection.get(), origin, schema);
}

}  // namespace tributary::sqlite

#include "connectors/outbox/sqlite/rules.h"

#include <string>

#include "connectors/outbox/sqlite/schema_sql.h"

namespace tributary::sqlite {

Result<void> check_version(sqlite3* connection) {
  TRIBUTARY_ASSIGN(Statement row,
                   Statement::prepare(connection, "SELECT schema_version FROM tributary_origin"));
  TRIBUTARY_ASSIGN(const bool found, row.step());
  if (!found) return {};
  const std::int64_t version = row.integer(0);
  if (version == kSchemaVersion) return {};
  const std::string versions = "the outbox tables in the file are of version " +
                               std::to_string(version) + ", this program needs version " +
                               std::to_string(kSchemaVersion);
  if (version > kSchemaVersion) {
    return fail(ErrorKind::kInvalid, versions + ": use a newer tributary");
  }
  return fail(ErrorKind::kInvalid,
              versions + " and does not convert them: let the tributary that made them run until " +
                  "nothing waits any more (its `status`), then let this one's `topology apply` " +
                  "make the outbox in a new file; keep the old file until all is well");
}

Result<Schema> read_schema(sqlite3* connection) {
  Schema schema;
  TRIBUTARY_ASSIGN(Statement keyspaces,
                   Statement::prepare(connection,
                                      "SELECT pattern, type FROM tributary_keyspace "
                                      "ORDER BY position"));
  while (true) {
    TRIBUTARY_ASSIGN(const bool row, keyspaces.step());
    if (!row) break;
    schema.keyspaces.push_back({std::string(keyspaces.bytes(0)), std::string(keyspaces.bytes(1))});
  }
  TRIBUTARY_ASSIGN(Statement limits,
                   Statement::prepare(connection, "SELECT name, value FROM tributary_limits"));
  while (true) {
    TRIBUTARY_ASSIGN(const bool row, limits.step());
    if (!row) return schema;
    const std::string_view name = limits.bytes(0);
    const auto value = static_cast<std::size_t>(limits.integer(1));
    if (name == "key_bytes") schema.limits.key_bytes = value;
    else if (name == "value_bytes") schema.limits.value_bytes = value;
    else if (name == "transaction_changes") schema.limits.transaction_changes = value;
    else if (name == "transaction_bytes") schema.limits.transaction_bytes = value;
  }
}

Result<std::vector<Keyspace>> read_keyspaces_ever(sqlite3* connection) {
  TRIBUTARY_ASSIGN(
      Statement row,
      Statement::prepare(connection, "SELECT pattern, type FROM tributary_keyspace_ever"));
  std::vector<Keyspace> keyspaces;
  while (true) {
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) return keyspaces;
    keyspaces.push_back({std::string(row.bytes(0)), std::string(row.bytes(1))});
  }
}

}  // namespace tributary::sqlite

#include "connectors/outbox/sqlite/schema_sql.h"

#include <cstddef>

#include <tributary/crdt/type.h>

#include "connectors/outbox/sqlite/tables.sql.h"

namespace tributary::sqlite {

std::string_view tables_sql() { return embedded::kTablesSql; }

std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out.push_back(c);
    out.push_back(c);
  }
  return out + "'";
}

std::string glob_of(std::string_view pattern) {
  std::string out;
  for (const char c : pattern) {
    if (c == '[') out.append("[[]");
    else out.push_back(c);
  }
  return out;
}

std::string rules_sql(const Schema& schema) {
  constexpr std::string_view kRemember =
      "INSERT OR IGNORE INTO tributary_keyspace_ever SELECT pattern, type "
      "FROM tributary_keyspace;\n";
  std::string sql(kRemember);
  sql += "DELETE FROM tributary_keyspace;\nDELETE FROM tributary_operation;\n";
  for (std::size_t i = 0; i < schema.keyspaces.size(); ++i) {
    const Keyspace& keyspace = schema.keyspaces[i];
    sql += "INSERT INTO tributary_keyspace VALUES (" + std::to_string(i + 1) + "," +
           quote(keyspace.pattern) + "," + quote(glob_of(keyspace.pattern)) + "," +
           quote(keyspace.type) + ");\n";
  }
  sql += kRemember;
  const auto limit = [&](std::string_view name, std::size_t value) {
    sql += "INSERT OR REPLACE INTO tributary_limits VALUES (" + quote(name) + "," +
           std::to_string(value) + ");\n";
  };
  limit("key_bytes", schema.limits.key_bytes);
  limit("value_bytes", schema.limits.value_bytes);
  limit("transaction_changes", schema.limits.transaction_changes);
  limit("transaction_bytes", schema.limits.transaction_bytes);
  for (const crdt::Type* type : crdt::types()) {
    for (const crdt::Operation& operation : type->operations) {
      const crdt::Operand operand = operation.operand;
      sql += "INSERT INTO tributary_operation VALUES (" + quote(type->name) + "," +
             quote(operation.name);
      for (const bool flag : {takes_field(operand), takes_value(operand), takes_amount(operand),
                              operation.observes, operation.accumulates}) {
        sql.append(flag ? ",1" : ",0");
      }
      sql += ");\n";
    }
  }
  return sql;
}

}  // namespace tributary::sqlite

#include "connectors/outbox/postgres/insert_changes.sql.h"
#include "connectors/outbox/postgres/overflow.sql.h"
#include "connectors/outbox/postgres/schema_sql.h"
#include "connectors/outbox/postgres/writing.sql.h"

namespace tributary::postgres {

std::string writing_sql() {
  std::string sql;
  for (const std::string_view part :
       {embedded::kWritingSql, embedded::kOverflowSql, embedded::kInsertChangesSql})
    sql += part;
  return sql;
}

}  // namespace tributary::postgres

#include <string>

#include "connectors/outbox/postgres/keep_marks.sql.h"
#include "connectors/outbox/postgres/put_back.sql.h"
#include "connectors/outbox/postgres/schema_sql.h"

namespace tributary::postgres {

std::string_view put_back_sql() { return embedded::kPutBackSql; }

std::string put_back_triggers_sql() {
  std::string sql(embedded::kKeepMarksSql);
  for (const std::string_view name : kRestoredTables) {
    const std::string table = "public.tributary_" + std::string(name);
    sql += "CREATE OR REPLACE TRIGGER tributary_emptied AFTER TRUNCATE ON " + table +
           " FOR EACH STATEMENT EXECUTE FUNCTION tributary.table_emptied();\n";
    if (name == "outbox") continue;
    sql += "CREATE OR REPLACE TRIGGER tributary_filled AFTER INSERT ON " + table +
           " FOR EACH STATEMENT EXECUTE FUNCTION tributary.table_filled();\n";
  }
  return sql;
}

}  // namespace tributary::postgres

#include "connectors/outbox/sqlite/check_change.sql.h"
#include "connectors/outbox/sqlite/complete_change.sql.h"
#include "connectors/outbox/sqlite/schema_sql.h"

namespace tributary::sqlite {

std::string triggers_sql() {
  return std::string(embedded::kCheckChangeSql) + std::string(embedded::kCompleteChangeSql);
}

}  // namespace tributary::sqlite

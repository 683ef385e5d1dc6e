#include "connectors/outbox/postgres/check_change.sql.h"
#include "connectors/outbox/postgres/check_trigger.sql.h"
#include "connectors/outbox/postgres/checks.sql.h"
#include "connectors/outbox/postgres/schema_sql.h"

namespace tributary::postgres {

std::string checking_sql() {
  return std::string(embedded::kChecksSql).append(embedded::kCheckChangeSql);
}

std::string_view trigger_sql() { return embedded::kCheckTriggerSql; }

}  // namespace tributary::postgres

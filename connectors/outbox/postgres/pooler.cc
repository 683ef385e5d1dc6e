#include "connectors/outbox/postgres/pooler.h"

#include <charconv>
#include <string_view>

#include <libpq-fe.h>

#include "connectors/outbox/postgres/session.h"

namespace tributary::postgres {

Error pooled() {
  return Error{ErrorKind::kFatal,
               "the database URL leads to a connection pooler (PgBouncer or the like), behind "
               "which a relay cannot hold its lease: give the origin a URL that leads to "
               "PostgreSQL itself; services may use the pooler"};
}

Result<int> check_direct(PGconn* connection) {
  TRIBUTARY_ASSIGN(const ResultHandle row,
                   run(connection,
                       "SELECT pg_backend_pid(), current_setting('enable_sort') = 'off' AND "
                       "current_setting('plan_cache_mode') = 'force_generic_plan' AND "
                       "current_setting('client_encoding') = 'SQL_ASCII'"));
  const std::string_view text = PQgetvalue(row.get(), 0, 0);
  int backend = 0;
  std::from_chars(text.data(), text.data() + text.size(), backend);
  const bool settings = std::string_view(PQgetvalue(row.get(), 0, 1)) == "t";
  if (backend != PQbackendPID(connection) || !settings) return fail(pooled());
  return backend;
}

}  // namespace tributary::postgres

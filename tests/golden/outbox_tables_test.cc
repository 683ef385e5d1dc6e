/// The tables that producers write to and that outlive a program's version.
#include <doctest/doctest.h>

#include "connectors/outbox/postgres/schema_sql.h"
#include "connectors/outbox/sqlite/schema_sql.h"
#include "tests/golden/golden.h"

namespace tributary::golden {
namespace {

TEST_CASE("the outbox tables of PostgreSQL are these") {
  check("outbox_postgres.txt",
        {postgres::kSchemaVersion, "kSchemaVersion in connectors/outbox/postgres/schema_sql.h"},
        without_comments(postgres::tables_sql()));
}

TEST_CASE("the outbox tables of SQLite are these") {
  check("outbox_sqlite.txt",
        {sqlite::kSchemaVersion, "kSchemaVersion in connectors/outbox/sqlite/schema_sql.h"},
        without_comments(sqlite::tables_sql()));
}

}  // namespace
}  // namespace tributary::golden

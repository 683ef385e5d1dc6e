#include "connectors/outbox/postgres/schema_sql.h"

#include <doctest/doctest.h>

#include <tributary/crdt/type.h>

#include "connectors/outbox/sqlite/schema_sql.h"

namespace tributary {
namespace {

bool has(const std::string& sql, const std::string& part) {
  return sql.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every registered operation gets a SQL function and a row") {
  const std::string functions = postgres::operations_sql();
  const std::string rows = sqlite::rules_sql(Schema{});
  for (const crdt::Type* type : crdt::types()) {
    for (const crdt::Operation& operation : type->operations) {
      const std::string name = std::string(type->name) + "_" + std::string(operation.name);
      CHECK_MESSAGE(has(functions, "FUNCTION tributary." + name + "(key text"), name);
      CHECK(has(rows, "'" + std::string(type->name) + "','" + std::string(operation.name) + "'"));
    }
  }
  CHECK(has(functions, "tributary.counter_add(key text, amount numeric)"));
  CHECK(has(functions, "tributary.set_remove(key text, value bytea, context text DEFAULT NULL)"));
  CHECK(has(functions, "tributary.set_clear(key text, context text DEFAULT NULL)"));
}

TEST_CASE("quotes and backslashes in a topology cannot leave their literal") {
  CHECK(postgres::quote(R"(it's \ me)") == R"(E'it''s \\ me')");
  CHECK(sqlite::quote(R"(it's \ me)") == R"('it''s \ me')");
}

TEST_CASE("a keyspace pattern becomes a GLOB that matches brackets as themselves") {
  CHECK(sqlite::glob_of("a[b]*?") == "a[[]b]*?");
}

}  // namespace tributary

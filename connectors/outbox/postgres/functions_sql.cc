#include <string>

#include <tributary/crdt/type.h>

#include "connectors/outbox/postgres/fence.sql.h"
#include "connectors/outbox/postgres/schema_sql.h"

namespace tributary::postgres {
namespace {

std::string_view yes_no(bool value) { return value ? "true" : "false"; }

/// One function. Text operands are stored as UTF-8 bytes, bytea ones as they are.
std::string function_sql(const crdt::Type& type, const crdt::Operation& operation, bool binary) {
  const std::string operand = binary ? " bytea" : " text";
  std::string parameters = "key text";
  std::string columns = "key, type, operation";
  std::string values = "$1, " + quote(type.name) + ", " + quote(operation.name);
  int next = 2;
  const auto take = [&](const std::string& name, const std::string& sql_type, bool text) {
    const std::string argument = "$" + std::to_string(next++);
    parameters += ", " + name + sql_type;
    columns += ", " + name;
    values += text ? ", convert_to(" + argument + ", 'UTF8')" : ", " + argument;
  };
  if (takes_field(operation.operand)) take("field", operand, !binary);
  if (takes_value(operation.operand)) take("value", operand, !binary);
  if (takes_amount(operation.operand)) take("amount", " numeric", false);
  if (operation.observes) {
    parameters += ", context text DEFAULT NULL";
    columns += ", context";
    values += ", tributary.token($" + std::to_string(next) + ")";
  }
  return "CREATE OR REPLACE FUNCTION tributary." + std::string(type.name) + "_" +
         std::string(operation.name) + "(" + parameters +
         ") RETURNS void LANGUAGE sql VOLATILE AS $$\n  INSERT INTO public.tributary_outbox (" +
         columns + ")\n  VALUES (" + values + ");\n$$;\n";
}

}  // namespace

std::string_view fence_sql() { return embedded::kFenceSql; }

std::string operations_sql() {
  std::string sql = "DELETE FROM public.tributary_operation;\n";
  for (const crdt::Type* type : crdt::types()) {
    for (const crdt::Operation& operation : type->operations) {
      const crdt::Operand operand = operation.operand;
      sql += "INSERT INTO public.tributary_operation VALUES (" + quote(type->name) + "," +
             quote(operation.name);
      for (const bool flag : {takes_field(operand), takes_value(operand), takes_amount(operand),
                              operation.observes, operation.accumulates}) {
        sql.append(",").append(yes_no(flag));
      }
      sql += ");\n" + function_sql(*type, operation, false);
      if (takes_field(operand) || takes_value(operand)) sql += function_sql(*type, operation, true);
    }
  }
  return sql;
}

}  // namespace tributary::postgres

#include <string>

#include <tributary/crdt/type.h>

#include "connectors/outbox/postgres/schema_sql.h"

namespace tributary::postgres {
namespace {

// Who may write as the relay: whoever the origin's row still names, in a row that nobody has put
// there since.
constexpr std::string_view kFence = R"sql(
CREATE OR REPLACE FUNCTION tributary.fence(epoch bigint, actor_ bigint, head bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM public.tributary_origin o
    WHERE o.leader_epoch = epoch AND o.actor IS NOT DISTINCT FROM actor_ AND o.head_seq = head
      AND o.xmin::text::bigint = o.stamp % 4294967296 FOR NO KEY UPDATE;
  IF FOUND AND NOT EXISTS (SELECT FROM public.tributary_put_back) THEN RETURN; END IF;
  IF EXISTS (SELECT FROM public.tributary_origin o WHERE o.leader_epoch > epoch) THEN
    RAISE EXCEPTION 'another relay leads this origin now' USING ERRCODE = 'TB001';
  END IF;
  RAISE EXCEPTION 'the outbox was put back to an earlier state, or changed by hand'
    USING ERRCODE = 'TB001';
END $$;
)sql";

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

std::string_view fence_sql() { return kFence; }

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

#include <string>

#include <tributary/connectors/postgres/schema_sql.h>
#include <tributary/crdt/type.h>

namespace tributary::postgres {
namespace {

// The clock reads µs << 12, above the replica's hlc; the sign bit is flipped (# is XOR) wherever
// order matters, since an hlc is unsigned. Where sequential scans are switched off, JIT is too: the
// huge cost the planner gives to what it is not to do would make it compile every little query.
constexpr std::string_view kFunctions = R"sql(
CREATE OR REPLACE FUNCTION tributary.write_hlc() RETURNS bigint LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp AS $$
  SELECT greatest(((extract(epoch FROM clock_timestamp()) * 1000000)::bigint << 12)
                    # (-9223372036854775808),
                  (c.hlc # (-9223372036854775808)) + 1) # (-9223372036854775808)
  FROM public.tributary_context c;
$$;

CREATE OR REPLACE FUNCTION tributary.overflows(key text, field bytea, up numeric, down numeric)
RETURNS boolean LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
  key_ CONSTANT text := key;
  field_ CONSTANT bytea := field;
  total_up numeric := up;
  total_down numeric := down;
  row_ record;
BEGIN
  FOR row_ IN
    SELECT c.increments::numeric AS up, c.decrements::numeric AS down
    FROM public.tributary_counter c WHERE c.key = key_ AND c.field = field_
    UNION ALL
    SELECT greatest(o.amount, 0)::numeric, -least(o.amount, 0)::numeric
    FROM public.tributary_outbox o
    WHERE o.key = key_ AND coalesce(o.field, '') = field_
      AND (o.amount >= 2305843009213693952 OR o.amount <= -2305843009213693952)
  LOOP
    total_up := total_up + row_.up;
    total_down := total_down + row_.down;
  END LOOP;
  RETURN total_up > 9223372036854775807 OR total_down > 9223372036854775807;
END $$;

CREATE OR REPLACE FUNCTION tributary.insert_changes(
  keys bytea[], types text[], operations text[], fields bytea[], contents bytea[],
  amounts bigint[], contexts bytea[])
RETURNS text LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
  clock bigint := tributary.write_hlc();
  number bigint := pg_current_xact_id()::text::bigint;
  seen bytea;
  refused text;
BEGIN
  IF EXISTS (SELECT FROM unnest(amounts) a
             WHERE a >= 2305843009213693952 OR a <= -2305843009213693952)
     OR EXISTS (SELECT FROM public.tributary_counter
                WHERE increments >= 2305843009213693952 OR decrements >= 2305843009213693952)
     OR EXISTS (SELECT FROM public.tributary_outbox
                WHERE amount >= 2305843009213693952 OR amount <= -2305843009213693952)
  THEN
    SELECT c.key INTO refused FROM (
      SELECT convert_from(i.key, 'UTF8') AS key, coalesce(i.field, '') AS field,
             sum(greatest(i.amount, 0)) AS up, sum(-least(i.amount, 0)::numeric) AS down
      FROM unnest(keys, types, operations, fields, amounts) i (key, type, operation, field, amount)
      JOIN public.tributary_operation o ON o.type = i.type AND o.operation = i.operation
      WHERE o.accumulates
      GROUP BY 1, 2) c
    WHERE tributary.overflows(c.key, c.field, c.up, c.down) LIMIT 1;
    IF refused IS NOT NULL THEN RETURN refused; END IF;
  END IF;
  SELECT watermark INTO seen FROM public.tributary_context;
  INSERT INTO public.tributary_outbox
    (transaction_id, key, type, operation, field, value, amount, context, hlc)
  SELECT number, convert_from(i.key, 'UTF8'), i.type, i.operation, i.field, i.content, i.amount,
         CASE WHEN i.context = '' THEN seen ELSE i.context END, clock
  FROM unnest(keys, types, operations, fields, contents, amounts, contexts) WITH ORDINALITY
       i (key, type, operation, field, content, amount, context, place)
  ORDER BY i.place;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tributary.refuse(why text, advice text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = 'tributary: ' || why, HINT = advice,
    ERRCODE = 'invalid_parameter_value';
END $$;

CREATE OR REPLACE FUNCTION tributary.check_size(what text, bytes bigint, name_ text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  most bigint;
BEGIN
  SELECT value INTO most FROM public.tributary_limits WHERE name = name_;
  IF bytes > most THEN
    PERFORM tributary.refuse(format('%s has %s bytes, the limit is %s', what, bytes, most),
                             format('Raise limits.%s in the topology, or write less.', name_));
  END IF;
END $$;

CREATE OR REPLACE FUNCTION tributary.check_key(key text, type text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  shown CONSTANT text := '"' || left(key, 80) || '"';
  key_bytes CONSTANT bytea := convert_to(key, 'UTF8');
  expected text;
BEGIN
  IF key = '' THEN PERFORM tributary.refuse('the key is empty', 'Give a Redis key.'); END IF;
  IF key LIKE 'tributary:%' THEN
    PERFORM tributary.refuse('key ' || shown || ' starts with "tributary:"',
                             'Those keys hold Tributary''s own state, choose another prefix.');
  END IF;
  PERFORM tributary.check_size('key ' || shown, length(key_bytes), 'key_bytes');
  SELECT k.type INTO expected FROM public.tributary_keyspace k
    WHERE key_bytes LIKE k.like_pattern ORDER BY k.position LIMIT 1;
  IF expected IS NULL THEN
    PERFORM tributary.refuse('no keyspace matches key ' || shown,
      'Add a pattern for it under keyspaces in the topology and run tributary topology apply.');
  ELSIF expected <> type THEN
    PERFORM tributary.refuse(format('key %s is a %s by its keyspace, not a %s', shown, expected,
                                    type), format('Use an operation of %s.', expected));
  END IF;
END $$;

CREATE OR REPLACE FUNCTION tributary.check_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  op public.tributary_operation;
  what text;
BEGIN
  PERFORM tributary.check_key(NEW.key, NEW.type);
  what := format('operation %s of %s on key "%s"', NEW.operation, NEW.type, left(NEW.key, 80));
  SELECT * INTO op FROM public.tributary_operation o
    WHERE o.type = NEW.type AND o.operation = NEW.operation;
  IF op IS NULL THEN
    PERFORM tributary.refuse(what || ' does not exist', 'See docs/sql.md for what a type has.');
  END IF;
  IF op.takes_field <> (NEW.field IS NOT NULL) THEN
    PERFORM tributary.refuse(what || CASE WHEN op.takes_field THEN ' needs a field'
      ELSE ' takes no field' END, 'A field may be empty, but not NULL.');
  END IF;
  IF op.takes_value <> (NEW.value IS NOT NULL) THEN
    PERFORM tributary.refuse(what || CASE WHEN op.takes_value THEN ' needs a value'
      ELSE ' takes no value' END, 'A value may be empty, but not NULL.');
  END IF;
  IF op.takes_amount <> (NEW.amount IS NOT NULL) THEN
    PERFORM tributary.refuse(what || CASE WHEN op.takes_amount THEN ' needs an amount'
      ELSE ' takes no amount' END, 'An amount is a bigint.');
  END IF;
  PERFORM tributary.check_size('the field of ' || what, length(NEW.field), 'value_bytes');
  PERFORM tributary.check_size('the value of ' || what, length(NEW.value), 'value_bytes');
  IF op.accumulates AND (NEW.amount = -9223372036854775808 OR tributary.overflows(
       NEW.key, coalesce(NEW.field, ''), greatest(NEW.amount, 0), -least(NEW.amount, 0)::numeric))
  THEN
    PERFORM tributary.refuse(format('counter "%s" would overflow', left(NEW.key, 80)),
      'One origin''s increments, and its decrements, may each add up to 9223372036854775807.');
  END IF;
  IF op.observes AND NEW.context IS NULL THEN
    SELECT watermark INTO NEW.context FROM public.tributary_context;
  ELSIF NOT op.observes THEN
    NEW.context := NULL;
  END IF;
  NEW.hlc := tributary.write_hlc();
  NEW.transaction_id := pg_current_xact_id()::text::bigint;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER tributary_check_change BEFORE INSERT ON public.tributary_outbox
  FOR EACH ROW WHEN (NEW.hlc IS NULL) EXECUTE FUNCTION tributary.check_change();

CREATE OR REPLACE FUNCTION tributary.token(context text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF context IS NOT NULL AND context !~ '^([0-9a-f]{2})+$' THEN
    RAISE EXCEPTION 'tributary: the context is not a token'
      USING HINT = 'Pass the token that tributary read printed, or leave it out.',
            ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN decode(context, 'hex');
END $$;

CREATE OR REPLACE FUNCTION tributary.fence(epoch bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM FROM public.tributary_origin WHERE leader_epoch = epoch FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another relay leads this origin now' USING ERRCODE = 'TB001';
  END IF;
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
  if (takes_amount(operation.operand)) take("amount", " bigint", false);
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

std::string_view functions_sql() { return kFunctions; }

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

#include <tributary/connectors/postgres/schema_sql.h>

namespace tributary::postgres {
namespace {

// The clock reads µs << 12, above the replica's hlc; the sign bit is flipped (# is XOR) wherever
// order matters, since an hlc is unsigned. A context that is ten years or more ahead of the clock
// is not believed. Where sequential scans are switched off, JIT is too: the huge cost the planner
// gives to what it is not to do would make it compile every little query.
//
// What a transaction has written, {changes, bytes}, is counted in a setting that is local to it: a
// savepoint that is rolled back takes its part along, and a pooled connection keeps nothing.
// Another keeps the limits, {key, value, changes, bytes}, so that they are read once.
//
// No function here has a search_path of its own, which would cost more than all of the checks: all
// names are qualified but those of pg_catalog, which come first in any path.
constexpr std::string_view kClock = R"sql(
CREATE OR REPLACE FUNCTION tributary.believed_hlc(seen bigint) RETURNS bigint LANGUAGE plpgsql
VOLATILE AS $$
DECLARE
  latest CONSTANT bigint := (((extract(epoch FROM clock_timestamp()) * 1000000)::bigint
                              + 315576000000000) << 12) # (-9223372036854775808);
BEGIN
  IF (seen # (-9223372036854775808)) < latest THEN RETURN seen; END IF;
  RETURN 0;
END $$;

CREATE OR REPLACE FUNCTION tributary.write_hlc(seen bigint) RETURNS bigint LANGUAGE plpgsql
VOLATILE AS $$
DECLARE
  clock CONSTANT bigint := ((extract(epoch FROM clock_timestamp()) * 1000000)::bigint
                            << 12) # (-9223372036854775808);
  above CONSTANT bigint := seen # (-9223372036854775808);
BEGIN
  IF above >= clock AND above < clock + (315576000000000 << 12) THEN
    RETURN (above + 1) # (-9223372036854775808);
  END IF;
  RETURN clock # (-9223372036854775808);
END $$;

CREATE OR REPLACE FUNCTION tributary.refuse(why text, advice text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = 'tributary: ' || why, HINT = advice,
    ERRCODE = 'invalid_parameter_value';
END $$;

CREATE OR REPLACE FUNCTION tributary.limits() RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  known text := current_setting('tributary.limits', true);
BEGIN
  IF known IS NULL OR known = '' THEN
    SELECT set_config('tributary.limits', array_agg(l.value ORDER BY array_position(
        '{key_bytes,value_bytes,transaction_changes,transaction_bytes}'::text[], l.name))::text,
        true) INTO known
      FROM public.tributary_limits l
      WHERE l.name IN ('key_bytes', 'value_bytes', 'transaction_changes', 'transaction_bytes');
  END IF;
  RETURN known::bigint[];
END $$;

CREATE OR REPLACE FUNCTION tributary.count_written(changes bigint, bytes bigint, limits bigint[])
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  before CONSTANT bigint[] := nullif(current_setting('tributary.written', true), '')::bigint[];
  changes_ CONSTANT bigint := changes + coalesce(before[1], 0);
  bytes_ CONSTANT bigint := bytes + coalesce(before[2], 0);
  ignored text;
BEGIN
  IF changes_ > limits[3] THEN
    PERFORM tributary.refuse(
      format('one transaction writes more than %s changes, the limit', limits[3]),
      'Commit in smaller transactions, or raise limits.transaction_changes in the topology.');
  ELSIF bytes_ > limits[4] THEN
    PERFORM tributary.refuse(
      format('one transaction writes more than %s bytes of changes, the limit', limits[4]),
      'Commit in smaller transactions, or raise limits.transaction_bytes in the topology.');
  END IF;
  ignored := set_config('tributary.written', '{' || changes_ || ',' || bytes_ || '}', true);
END $$;

CREATE OR REPLACE FUNCTION tributary.is_context(bytes bytea) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  size CONSTANT int := length(bytes);
  at int := 0;
  entries bigint := 0;
  part int;
  digits int;
BEGIN
  FOR i IN 0..4 LOOP
    IF at >= size THEN RETURN false; END IF;
    part := get_byte(bytes, at);
    at := at + 1;
    entries := entries | ((part & 127)::bigint << (7 * i));
    EXIT WHEN part < 128;
    IF i = 4 THEN RETURN false; END IF;
  END LOOP;
  IF entries > size / 9 THEN RETURN false; END IF;
  FOR i IN 1..entries LOOP
    at := at + 8;
    digits := 0;
    LOOP
      IF at >= size THEN RETURN false; END IF;
      part := get_byte(bytes, at);
      at := at + 1;
      digits := digits + 1;
      IF digits = 10 AND part > 1 THEN RETURN false; END IF;
      EXIT WHEN part < 128;
    END LOOP;
  END LOOP;
  RETURN at = size;
END $$;
)sql";

constexpr std::string_view kOverflow = R"sql(
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
      AND c.actor = (SELECT o.actor FROM public.tributary_origin o)
    UNION ALL
    SELECT greatest(o.amount, 0), -least(o.amount, 0)
    FROM public.tributary_outbox o
    WHERE o.key = key_ AND coalesce(o.field, '') = field_
      AND (o.amount >= 2305843009213693952 OR o.amount <= -2305843009213693952)
  LOOP
    total_up := total_up + row_.up;
    total_down := total_down + row_.down;
  END LOOP;
  RETURN total_up > 9223372036854775807 OR total_down > 9223372036854775807;
END $$;
)sql";

// For the C++ library, which has checked each change. The setting keeps the trigger out.
constexpr std::string_view kInsertChanges = R"sql(
CREATE OR REPLACE FUNCTION tributary.insert_changes(
  keys bytea[], types text[], operations text[], fields bytea[], contents bytea[],
  amounts bigint[], contexts bytea[])
RETURNS text LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
SET tributary.checked = 'yes' AS $$
DECLARE
  number CONSTANT bigint := pg_current_xact_id()::text::bigint;
  clock bigint;
  seen bytea;
  refused text;
BEGIN
  IF EXISTS (SELECT FROM unnest(amounts) a
             WHERE a >= 2305843009213693952 OR a <= -2305843009213693952)
     OR EXISTS (SELECT FROM public.tributary_counter
                WHERE actor = (SELECT o.actor FROM public.tributary_origin o)
                  AND (increments >= 2305843009213693952 OR decrements >= 2305843009213693952))
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
  PERFORM tributary.count_written(
    cardinality(keys),
    (SELECT sum(length(i.key) + coalesce(length(i.field), 0) + coalesce(length(i.content), 0)
                + coalesce(length(i.context), 0))
     FROM unnest(keys, fields, contents, contexts) i (key, field, content, context)),
    tributary.limits());
  SELECT c.watermark, tributary.write_hlc(c.hlc) INTO seen, clock FROM public.tributary_context c;
  INSERT INTO public.tributary_outbox
    (transaction_id, key, type, operation, field, value, amount, context, exact, hlc)
  SELECT number, convert_from(i.key, 'UTF8'), i.type, i.operation, i.field, i.content, i.amount,
         CASE WHEN i.context = '' THEN seen ELSE i.context END, coalesce(i.context <> '', false),
         clock
  FROM unnest(keys, types, operations, fields, contents, amounts, contexts) WITH ORDINALITY
       i (key, type, operation, field, content, amount, context, place)
  ORDER BY i.place;
  RETURN NULL;
END $$;
)sql";

constexpr std::string_view kChecks = R"sql(
CREATE OR REPLACE FUNCTION tributary.check_size(what text, bytes bigint, most bigint, name text)
RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF bytes > most THEN
    PERFORM tributary.refuse(format('%s has %s bytes, the limit is %s', what, bytes, most),
                             format('Raise limits.%s in the topology, or write less.', name));
  END IF;
END $$;

CREATE OR REPLACE FUNCTION tributary.check_key(key text, type text, expected text, most bigint)
RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  shown CONSTANT text := '"' || left(key, 80) || '"';
BEGIN
  IF key IS NULL THEN PERFORM tributary.refuse('the key is NULL', 'Give a Redis key.'); END IF;
  IF key = '' THEN PERFORM tributary.refuse('the key is empty', 'Give a Redis key.'); END IF;
  IF starts_with(key, 'tributary:') THEN
    PERFORM tributary.refuse('key ' || shown || ' starts with "tributary:"',
                             'Those keys hold Tributary''s own state, choose another prefix.');
  END IF;
  PERFORM tributary.check_size('key ' || shown, octet_length(key), most, 'key_bytes');
  IF expected IS NULL THEN
    PERFORM tributary.refuse('no keyspace matches key ' || shown,
      'Add a pattern for it under keyspaces in the topology and run tributary topology apply.');
  END IF;
  PERFORM tributary.refuse(format('key %s is a %s by its keyspace, not a %s', shown, expected,
                                  coalesce(type, 'NULL')),
                           format('Use an operation of %s.', expected));
END $$;

CREATE OR REPLACE FUNCTION tributary.check_amount(what text, amount numeric) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF amount = 'NaN' OR amount >= 9223372036854775808 OR amount < -9223372036854775808 THEN
    PERFORM tributary.refuse(format('%s: %s is no 64-bit integer', what, amount),
                             'An amount lies within ±9223372036854775807.');
  ELSIF amount <> trunc(amount) THEN
    PERFORM tributary.refuse(format('%s: %s is no integer', what, amount),
                             'An amount is an integer: round it as your business wants it.');
  END IF;
END $$;

CREATE OR REPLACE FUNCTION tributary.check_operand(what text, name text, takes boolean,
                                                   given boolean) RETURNS void
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF takes AND NOT given THEN
    PERFORM tributary.refuse(format('%s needs %s', what, name), 'It may be empty or 0, not NULL.');
  ELSIF given AND NOT takes THEN
    PERFORM tributary.refuse(format('%s takes no %s', what, split_part(name, ' ', 2)),
                             'Leave it out.');
  END IF;
END $$;
)sql";

// A row that names an hlc and an earlier transaction comes from a backup, or was parked: it keeps
// both, and its context, so that it is recognised when a batch has consumed it. All others are this
// transaction's, whatever they say.
constexpr std::string_view kTrigger = R"sql(
CREATE OR REPLACE FUNCTION tributary.check_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  number CONSTANT bigint := pg_current_xact_id()::text::bigint;
  limits CONSTANT bigint[] := tributary.limits();
  key_bytes CONSTANT bigint := octet_length(NEW.key);
  clock bigint;
  at record;
BEGIN
  SELECT o.operation, o.takes_field, o.takes_value, o.takes_amount, o.observes, o.accumulates,
         c.watermark, c.hlc, CASE WHEN s.is_called THEN s.last_value ELSE 0 END AS last_id,
         (SELECT k.type FROM public.tributary_keyspace k
          WHERE convert_to(NEW.key, 'UTF8') LIKE k.like_pattern ORDER BY k.position LIMIT 1) AS type
    INTO at
    FROM public.tributary_context c CROSS JOIN public.tributary_outbox_id_seq s
    LEFT JOIN public.tributary_operation o ON o.type = NEW.type AND o.operation = NEW.operation;
  IF NEW.key IS NULL OR NEW.key = '' OR starts_with(NEW.key, 'tributary:')
     OR key_bytes > limits[1] OR at.type IS DISTINCT FROM NEW.type THEN
    PERFORM tributary.check_key(NEW.key, NEW.type, at.type, limits[1]);
  END IF;
  IF at.operation IS NULL OR at.takes_field <> (NEW.field IS NOT NULL)
     OR at.takes_value <> (NEW.value IS NOT NULL) OR at.takes_amount <> (NEW.amount IS NOT NULL)
     OR at.takes_amount OR length(NEW.field) > limits[2] OR length(NEW.value) > limits[2]
     OR NEW.context IS NOT NULL OR NEW.id > at.last_id OR NEW.id < 1 THEN
    PERFORM tributary.check_rest(NEW.id, NEW.key, NEW.type, NEW.operation, NEW.field, NEW.value,
      NEW.amount, CASE WHEN at.observes THEN NEW.context END, at, limits);
  END IF;
  IF NOT at.observes THEN NEW.context := NULL; END IF;
  clock := tributary.write_hlc(at.hlc);
  IF NEW.hlc <> 0 AND NEW.transaction_id > 0 AND NEW.transaction_id <> number
     AND (NEW.hlc # (-9223372036854775808)) <=
         (clock # (-9223372036854775808)) + (3600000000 << 12) THEN
    NEW.exact := coalesce(NEW.exact, false);
    RETURN NEW;
  END IF;
  PERFORM tributary.count_written(1, key_bytes + coalesce(length(NEW.field), 0)
    + coalesce(length(NEW.value), 0) + coalesce(length(NEW.context), 0), limits);
  NEW.exact := NEW.context IS NOT NULL;
  IF at.observes AND NEW.context IS NULL THEN NEW.context := at.watermark; END IF;
  NEW.hlc := clock;
  NEW.transaction_id := number;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION tributary.check_rest(id bigint, key text, type text, operation text,
  field bytea, value bytea, amount numeric, context bytea, at record, limits bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  what CONSTANT text := format('operation %s of %s on key "%s"', coalesce(operation, 'NULL'), type,
                               left(key, 80));
BEGIN
  IF at.operation IS NULL THEN
    PERFORM tributary.refuse(what || ' does not exist', 'See docs/sql.md for what a type has.');
  END IF;
  PERFORM tributary.check_operand(what, 'a field', at.takes_field, field IS NOT NULL),
          tributary.check_operand(what, 'a value', at.takes_value, value IS NOT NULL),
          tributary.check_operand(what, 'an amount', at.takes_amount, amount IS NOT NULL),
          tributary.check_amount(what, amount),
          tributary.check_size('the field of ' || what, length(field), limits[2], 'value_bytes'),
          tributary.check_size('the value of ' || what, length(value), limits[2], 'value_bytes'),
          tributary.check_size('the context of ' || what, length(context), limits[2],
                               'value_bytes');
  IF context IS NOT NULL AND NOT tributary.is_context(context) THEN
    PERFORM tributary.refuse('the context of ' || what || ' is not a token',
      'Pass the token that tributary read printed, or leave it out.');
  END IF;
  IF id < 1 OR id > at.last_id THEN
    PERFORM tributary.refuse(format('id %s is not one that the outbox gave', id),
      'Leave out the id. A backup is restored whole, or with its triggers disabled.');
  END IF;
  IF at.accumulates AND (amount = -9223372036854775808 OR tributary.overflows(
       key, coalesce(field, ''), greatest(amount, 0), -least(amount, 0))) THEN
    PERFORM tributary.refuse(format('counter "%s" would overflow', left(key, 80)),
      'One origin''s increments, and its decrements, may each add up to 9223372036854775807.');
  END IF;
END $$;

CREATE OR REPLACE FUNCTION tributary.token(context text) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF context IS NOT NULL AND context !~ '^([0-9a-f]{2})+$' THEN
    RAISE EXCEPTION 'tributary: the context is not a token'
      USING HINT = 'Pass the token that tributary read printed, or leave it out.',
            ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN decode(context, 'hex');
END $$;
)sql";

// The only statement here that locks the outbox against writers.
constexpr std::string_view kAttach = R"sql(
CREATE OR REPLACE TRIGGER tributary_check_change BEFORE INSERT ON public.tributary_outbox
  FOR EACH ROW WHEN (pg_catalog.current_setting('tributary.checked', true) IS DISTINCT FROM 'yes')
  EXECUTE FUNCTION tributary.check_change();
)sql";

}  // namespace

std::string writing_sql() {
  std::string sql;
  for (const std::string_view part : {kClock, kOverflow, kInsertChanges, kChecks, kTrigger}) {
    sql += part;
  }
  return sql;
}

std::string_view trigger_sql() { return kAttach; }

}  // namespace tributary::postgres

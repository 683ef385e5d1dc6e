#include <tributary/connectors/postgres/schema_sql.h>

namespace tributary::postgres {
namespace {

// The clock reads µs << 12, above the replica's hlc; the sign bit is flipped (# is XOR) wherever
// order matters, since an hlc is unsigned. A context that is ten years or more ahead of the clock
// is not believed. Where sequential scans are switched off, JIT is too: the huge cost the planner
// gives to what it is not to do would make it compile every little query.
//
// What a transaction has written is counted in two settings that are local to it: a savepoint that
// is rolled back takes its part along, and a pooled connection keeps nothing.
constexpr std::string_view kClock = R"sql(
CREATE OR REPLACE FUNCTION tributary.believed_hlc(seen bigint) RETURNS bigint LANGUAGE plpgsql
VOLATILE SET search_path = pg_catalog, pg_temp AS $$
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
  clock CONSTANT bigint := ((extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint
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

CREATE OR REPLACE FUNCTION tributary.count_written(changes bigint, bytes bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  changes_ CONSTANT bigint :=
    changes + coalesce(nullif(current_setting('tributary.changes', true), '')::bigint, 0);
  bytes_ CONSTANT bigint :=
    bytes + coalesce(nullif(current_setting('tributary.bytes', true), '')::bigint, 0);
  over record;
BEGIN
  SELECT l.name, l.value INTO over FROM public.tributary_limits l
    WHERE l.name = 'transaction_changes' AND l.value < changes_
       OR l.name = 'transaction_bytes' AND l.value < bytes_ LIMIT 1;
  IF over.name IS NOT NULL THEN
    PERFORM tributary.refuse(
      format('one transaction writes more than %s %s of changes, the limit', over.value,
             CASE over.name WHEN 'transaction_bytes' THEN 'bytes' ELSE 'rows' END),
      format('Commit in smaller transactions, or raise limits.%s in the topology.', over.name));
  END IF;
  PERFORM set_config('tributary.changes', changes_::text, true),
          set_config('tributary.bytes', bytes_::text, true);
END $$;

CREATE OR REPLACE FUNCTION tributary.is_context(bytes bytea) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
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
     FROM unnest(keys, fields, contents, contexts) i (key, field, content, context)));
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
  IF key IS NULL THEN PERFORM tributary.refuse('the key is NULL', 'Give a Redis key.'); END IF;
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
  ELSIF expected IS DISTINCT FROM type THEN
    PERFORM tributary.refuse(format('key %s is a %s by its keyspace, not a %s', shown, expected,
                                    coalesce(type, 'NULL')),
                             format('Use an operation of %s.', expected));
  END IF;
END $$;

CREATE OR REPLACE FUNCTION tributary.check_amount(what text, amount numeric) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF amount = 'NaN' OR amount >= 9223372036854775808 OR amount < -9223372036854775808 THEN
    PERFORM tributary.refuse(format('%s: %s is no 64-bit integer', what, amount),
                             'An amount lies within ±9223372036854775807.');
  ELSIF amount <> trunc(amount) THEN
    PERFORM tributary.refuse(format('%s: %s is no integer', what, amount),
                             'An amount is an integer: round it as your business wants it.');
  END IF;
END $$;

CREATE OR REPLACE FUNCTION tributary.check_operands(change public.tributary_outbox,
                                                    op public.tributary_operation, what text)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF op.takes_field <> (change.field IS NOT NULL) THEN
    PERFORM tributary.refuse(what || CASE WHEN op.takes_field THEN ' needs a field'
      ELSE ' takes no field' END, 'A field may be empty, but not NULL.');
  END IF;
  IF op.takes_value <> (change.value IS NOT NULL) THEN
    PERFORM tributary.refuse(what || CASE WHEN op.takes_value THEN ' needs a value'
      ELSE ' takes no value' END, 'A value may be empty, but not NULL.');
  END IF;
  IF op.takes_amount <> (change.amount IS NOT NULL) THEN
    PERFORM tributary.refuse(what || CASE WHEN op.takes_amount THEN ' needs an amount'
      ELSE ' takes no amount' END, 'An amount is a bigint.');
  END IF;
  IF change.amount IS NOT NULL THEN PERFORM tributary.check_amount(what, change.amount); END IF;
  PERFORM tributary.check_size('the field of ' || what, length(change.field), 'value_bytes');
  PERFORM tributary.check_size('the value of ' || what, length(change.value), 'value_bytes');
  IF op.accumulates AND (change.amount = -9223372036854775808 OR tributary.overflows(
       change.key, coalesce(change.field, ''), greatest(change.amount, 0),
       -least(change.amount, 0)))
  THEN
    PERFORM tributary.refuse(format('counter "%s" would overflow', left(change.key, 80)),
      'One origin''s increments, and its decrements, may each add up to 9223372036854775807.');
  END IF;
  IF change.context IS NOT NULL THEN
    PERFORM tributary.check_size('the context of ' || what, length(change.context), 'value_bytes');
    IF NOT tributary.is_context(change.context) THEN
      PERFORM tributary.refuse('the context of ' || what || ' is not a token',
        'Pass the token that tributary read printed, or leave it out.');
    END IF;
  END IF;
END $$;
)sql";

// A row that names an hlc and an earlier transaction comes from a backup, or was parked: it keeps
// both, and its context, so that it is recognised when a batch has consumed it. All others are this
// transaction's, whatever they say.
constexpr std::string_view kTrigger = R"sql(
CREATE OR REPLACE FUNCTION tributary.check_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number CONSTANT bigint := pg_current_xact_id()::text::bigint;
  op public.tributary_operation;
  seen bytea;
  clock bigint;
BEGIN
  PERFORM tributary.check_key(NEW.key, NEW.type);
  SELECT * INTO op FROM public.tributary_operation o
    WHERE o.type = NEW.type AND o.operation = NEW.operation;
  IF op IS NULL THEN
    PERFORM tributary.refuse(format('operation %s of %s on key "%s" does not exist',
      coalesce(NEW.operation, 'NULL'), NEW.type, left(NEW.key, 80)),
      'See docs/sql.md for what a type has.');
  END IF;
  IF NOT op.observes THEN NEW.context := NULL; END IF;
  PERFORM tributary.check_operands(NEW, op, format('operation %s of %s on key "%s"', NEW.operation,
                                                   NEW.type, left(NEW.key, 80)));
  SELECT c.watermark, tributary.write_hlc(c.hlc) INTO seen, clock FROM public.tributary_context c;
  IF NEW.id < 1 OR NEW.id > (SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END
                             FROM public.tributary_outbox_id_seq s) THEN
    PERFORM tributary.refuse(format('id %s is not one that the outbox gave', NEW.id),
      'Leave out the id. A backup is restored whole, or with its triggers disabled.');
  END IF;
  IF NEW.hlc <> 0 AND NEW.transaction_id > 0 AND NEW.transaction_id <> number
     AND (NEW.hlc # (-9223372036854775808)) <=
         (clock # (-9223372036854775808)) + (3600000000 << 12) THEN
    NEW.exact := coalesce(NEW.exact, false);
    RETURN NEW;
  END IF;
  PERFORM tributary.count_written(1, octet_length(NEW.key) + coalesce(length(NEW.field), 0)
    + coalesce(length(NEW.value), 0) + coalesce(length(NEW.context), 0));
  NEW.exact := NEW.context IS NOT NULL;
  IF op.observes AND NEW.context IS NULL THEN NEW.context := seen; END IF;
  NEW.hlc := clock;
  NEW.transaction_id := number;
  RETURN NEW;
END $$;

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

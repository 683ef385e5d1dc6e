-- A row that names another transaction and a time between 2020 and now comes from a backup, or was
-- parked: it keeps both, its tag and its context, so that it is recognised when a batch has
-- consumed it; and when it was parked (written_id), its transaction was counted as it was written.
-- All others are this transaction's, whatever they say. Whether a context that it
-- brings was ever told is for the seal to say: a restore may put back the outbox before what was
-- told.
--
-- A context that is told is named by its id, and kept for as long as that may take (see
-- context_sweep.h). Before the first is told, the row carries the bytes; so it does when a snapshot
-- that is older than the transaction's number shows one that may be gone. The sequence tells how
-- old it is, since no snapshot hides it.

CREATE OR REPLACE FUNCTION tributary.check_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  number CONSTANT bigint := pg_current_xact_id()::text::bigint;
  limits CONSTANT bigint[] := tributary.limits();
  key_bytes CONSTANT bigint := octet_length(NEW.key);
  bytes bigint;
  clock bigint;
  at record;
BEGIN
  SELECT o.operation, o.takes_field, o.takes_value, o.takes_amount, o.observes, o.accumulates,
         c.hlc, c.context_id, CASE WHEN s.is_called THEN s.last_value ELSE 0 END AS last_id,
         (SELECT k.type FROM public.tributary_keyspace k
          WHERE convert_to(NEW.key, 'UTF8') LIKE k.like_pattern ORDER BY k.position LIMIT 1) AS type
    INTO at
    FROM public.tributary_context c CROSS JOIN public.tributary_outbox_id_seq s
    LEFT JOIN public.tributary_operation o ON o.type = NEW.type AND o.operation = NEW.operation;
  IF NEW.key IS NULL OR NEW.key = '' OR starts_with(NEW.key, 'tributary:')
     OR key_bytes > limits[1] OR at.type IS NULL OR at.type IS DISTINCT FROM NEW.type THEN
    PERFORM tributary.check_key(NEW.key, NEW.type, at.type, limits[1]);
  END IF;
  IF at.operation IS NULL OR at.takes_field <> (NEW.field IS NOT NULL)
     OR at.takes_value <> (NEW.value IS NOT NULL) OR at.takes_amount <> (NEW.amount IS NOT NULL)
     OR NEW.amount <> trunc(NEW.amount) OR NEW.amount = 'NaN'
     OR abs(NEW.amount) >= 9223372036854775808 OR length(NEW.field) > limits[2] OR length(NEW.value) > limits[2]
     OR NEW.context IS NOT NULL OR NEW.id > at.last_id OR NEW.id < 1 THEN
    PERFORM tributary.check_rest(NEW.id, NEW.key, NEW.type, NEW.operation, NEW.field, NEW.value,
      NEW.amount, CASE WHEN at.observes THEN NEW.context END, at, limits);
  END IF;
  IF at.accumulates AND (NEW.amount = -9223372036854775808 OR tributary.overflows(
       NEW.key, coalesce(NEW.field, ''), greatest(NEW.amount, 0), -least(NEW.amount, 0))) THEN
    PERFORM tributary.refuse(format('counter "%s" would overflow', left(NEW.key, 80)),
      'One origin''s increments, and its decrements, may each add up to 9223372036854775807.');
  END IF;
  IF NOT at.observes THEN NEW.context := NULL; END IF;
  clock := tributary.write_hlc(at.hlc);
  bytes := key_bytes + coalesce(length(NEW.field), 0) + coalesce(length(NEW.value), 0)
           + coalesce(length(NEW.context), 0);
  IF NEW.transaction_id > 0 AND NEW.transaction_id <> number
     AND (NEW.hlc # (-9223372036854775808)) BETWEEN
         (1577836800000000 << 12) # (-9223372036854775808) AND
         (clock # (-9223372036854775808)) + (3600000000 << 12) THEN
    IF NEW.written_id IS NULL THEN
      PERFORM tributary.count_kept(NEW.transaction_id, bytes, limits);
    END IF;
    NEW.exact := coalesce(NEW.exact, false);
    IF NOT at.observes THEN NEW.context_id := NULL; END IF;
    PERFORM tributary.note_filled('tributary_outbox');
    IF coalesce(NEW.tag, 0) = 0 THEN NEW.tag := tributary.new_tag(); END IF;
    RETURN NEW;
  END IF;
  PERFORM tributary.count_written(1, bytes, limits);
  NEW.exact := NEW.context IS NOT NULL;
  IF NOT at.observes OR NEW.exact THEN
    IF NEW.context_id IS NOT NULL THEN NEW.context_id := NULL; END IF;
  ELSIF at.context_id IS NOT NULL
        AND current_setting('transaction_isolation') = 'read committed' THEN
    NEW.context_id := at.context_id;
  ELSE
    SELECT CASE WHEN k.kept THEN c.context_id END, CASE WHEN NOT k.kept THEN c.watermark END
      INTO NEW.context_id, NEW.context
      FROM public.tributary_context c, public.tributary_told_context_number_seq t, LATERAL (
        SELECT c.context_id IS NOT NULL AND t.last_value - c.number BETWEEN 0 AND 255 AS kept) k;
  END IF;
  NEW.hlc := clock;
  NEW.transaction_id := number;
  NEW.tag := tributary.new_tag();
  NEW.written_id := NULL;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION tributary.check_rest(id bigint, key text, type text, operation text,
  field bytea, value bytea, amount numeric, context bytea, at record, limits bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  what CONSTANT text := format('operation %s of %s on key "%s"', coalesce(operation, 'NULL'),
                               coalesce(type, 'NULL'), left(key, 80));
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

-- The clock reads µs << 12, above the replica's hlc; the sign bit is flipped (# is XOR) wherever
-- order matters, since an hlc is unsigned. A context beyond the year 2100 (kMaxHlc) is not
-- believed, and nothing later is written: consumers obey all up to there, so all of it has to be
-- beaten. Where sequential scans are switched off, JIT is too: the huge cost the planner gives to
-- what it is not to do would make it compile every little query.
--
-- What a transaction has written, {changes, bytes}, is counted in a setting that is local to it: a
-- savepoint that is rolled back takes its part along, and a pooled connection keeps nothing.
-- Another keeps the limits, {key, value, changes, bytes}, so that they are read once. Rows of a
-- backup count for the transaction that they name, {transaction, changes, bytes}: a restore puts
-- back many, one behind the other.
--
-- No function here has a search_path of its own, which would cost more than all of the checks: all
-- names are qualified but those of pg_catalog, which come first in any path.

CREATE OR REPLACE FUNCTION tributary.believed_hlc(seen bigint) RETURNS bigint LANGUAGE plpgsql
VOLATILE AS $$
DECLARE
  latest CONSTANT bigint := (@MAX_HLC_MICROS@ << 12) # (-9223372036854775808);
BEGIN
  IF (seen # (-9223372036854775808)) <= latest THEN RETURN seen; END IF;
  RETURN 0;
END $$;

CREATE OR REPLACE FUNCTION tributary.write_hlc(seen bigint) RETURNS bigint LANGUAGE plpgsql
VOLATILE AS $$
DECLARE
  clock CONSTANT bigint := ((extract(epoch FROM clock_timestamp()) * 1000000)::bigint
                            << 12) # (-9223372036854775808);
  above CONSTANT bigint := seen # (-9223372036854775808);
  latest CONSTANT bigint := (@MAX_HLC_MICROS@ << 12) # (-9223372036854775808);
BEGIN
  IF above >= clock AND above < latest THEN
    RETURN (above + 1) # (-9223372036854775808);
  END IF;
  RETURN least(CASE WHEN above = latest THEN above ELSE clock END, latest)
         # (-9223372036854775808);
END $$;

CREATE OR REPLACE FUNCTION tributary.new_tag() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT uuid_hash_extended(gen_random_uuid(), 0)
$$;

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

CREATE OR REPLACE FUNCTION tributary.refuse_more(changes bigint, limits bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF changes > limits[3] THEN
    PERFORM tributary.refuse(
      format('one transaction writes more than %s changes, the limit', limits[3]),
      'Commit in smaller transactions, or raise limits.transaction_changes in the topology.');
  END IF;
  PERFORM tributary.refuse(
    format('one transaction writes more than %s bytes of changes, the limit', limits[4]),
    'Commit in smaller transactions, or raise limits.transaction_bytes in the topology.');
END $$;

CREATE OR REPLACE FUNCTION tributary.count_written(changes bigint, bytes bigint, limits bigint[])
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  before CONSTANT bigint[] := nullif(current_setting('tributary.written', true), '')::bigint[];
  changes_ CONSTANT bigint := changes + coalesce(before[1], 0);
  bytes_ CONSTANT bigint := bytes + coalesce(before[2], 0);
  ignored text;
BEGIN
  IF changes_ > limits[3] OR bytes_ > limits[4] THEN
    PERFORM tributary.refuse_more(changes_, limits);
  END IF;
  ignored := set_config('tributary.written', '{' || changes_ || ',' || bytes_ || '}', true);
END $$;

CREATE OR REPLACE FUNCTION tributary.count_kept(number bigint, bytes bigint, limits bigint[])
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  before CONSTANT bigint[] := nullif(current_setting('tributary.kept', true), '')::bigint[];
  same CONSTANT boolean := coalesce(before[1] = number, false);
  changes_ CONSTANT bigint := 1 + CASE WHEN same THEN before[2] ELSE 0 END;
  bytes_ CONSTANT bigint := bytes + CASE WHEN same THEN before[3] ELSE 0 END;
  ignored text;
BEGIN
  IF changes_ > limits[3] OR bytes_ > limits[4] THEN
    PERFORM tributary.refuse_more(changes_, limits);
  END IF;
  ignored := set_config('tributary.kept',
                        '{' || number || ',' || changes_ || ',' || bytes_ || '}', true);
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

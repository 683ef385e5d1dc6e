-- For the C++ library, which has checked each change. The setting keeps the trigger out. Contexts
-- as in check_change().

CREATE OR REPLACE FUNCTION tributary.insert_changes(
  keys bytea[], types text[], operations text[], fields bytea[], contents bytea[],
  amounts bigint[], contexts bytea[])
RETURNS text LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
SET tributary.checked = 'yes' AS $$
DECLARE
  number CONSTANT bigint := pg_current_xact_id()::text::bigint;
  tag CONSTANT bigint := tributary.new_tag();
  clock bigint;
  seen bytea;
  seen_id bigint;
  refused text;
BEGIN
  IF EXISTS (SELECT FROM unnest(amounts) a
             WHERE a >= @NEAR_OVERFLOW@ OR a <= -@NEAR_OVERFLOW@)
     OR EXISTS (SELECT FROM public.tributary_counter
                WHERE actor = (SELECT o.actor FROM public.tributary_origin o)
                  AND (increments >= @NEAR_OVERFLOW@ OR decrements >= @NEAR_OVERFLOW@))
     OR EXISTS (SELECT FROM public.tributary_outbox
                WHERE amount >= @NEAR_OVERFLOW@ OR amount <= -@NEAR_OVERFLOW@)
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
  SELECT CASE WHEN k.kept THEN c.context_id END, CASE WHEN NOT k.kept THEN c.watermark END,
         tributary.write_hlc(c.hlc)
    INTO seen_id, seen, clock
    FROM public.tributary_context c, public.tributary_told_context_number_seq t, LATERAL (
      SELECT c.context_id IS NOT NULL AND t.last_value - c.number BETWEEN 0 AND 255 AS kept) k;
  INSERT INTO public.tributary_outbox (transaction_id, key, type, operation, field, value, amount,
                                       context, context_id, exact, hlc, tag)
  SELECT number, convert_from(i.key, 'UTF8'), i.type, i.operation, i.field, i.content, i.amount,
         CASE WHEN i.context = '' THEN seen ELSE i.context END,
         CASE WHEN i.context = '' THEN seen_id END, coalesce(i.context <> '', false), clock, tag
  FROM unnest(keys, types, operations, fields, contents, amounts, contexts) WITH ORDINALITY
       i (key, type, operation, field, content, amount, context, place)
  ORDER BY i.place;
  RETURN NULL;
END $$;

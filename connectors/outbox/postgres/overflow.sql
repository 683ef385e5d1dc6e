CREATE OR REPLACE FUNCTION tributary.overflows(key text, field bytea, up numeric, down numeric)
RETURNS boolean LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off AS $$
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
      AND (o.amount >= @NEAR_OVERFLOW@ OR o.amount <= -@NEAR_OVERFLOW@)
      AND o.amount BETWEEN -9223372036854775808 AND 9223372036854775807
  LOOP
    total_up := total_up + row_.up;
    total_down := total_down + row_.down;
  END LOOP;
  RETURN total_up > 9223372036854775807 OR total_down > 9223372036854775807;
END $$;

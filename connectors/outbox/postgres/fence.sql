-- Who may write as the relay: whoever the origin's row still names, in a row that nobody has put
-- there since.

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

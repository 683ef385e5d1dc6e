-- A restore may empty and fill Tributary's tables one by one, and a relay that meets it half done
-- would lose or double. So every table that is emptied by TRUNCATE leaves a mark, by whom
-- (transaction), and another when it is filled; as long as there is a mark nobody leads (see
-- statements::kPutBack). A restore that empties the table of marks, too, leaves those there are.
--
-- Rows of the outbox are filled in by rows that name an earlier transaction (check_change()): a
-- service may write meanwhile. The functions are the owner's, since services have no right to the
-- marks.

CREATE OR REPLACE FUNCTION tributary.table_emptied() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO public.tributary_put_back (name, emptied_by, changed_at)
    VALUES (TG_TABLE_NAME, pg_current_xact_id()::text::bigint, clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET emptied_by = excluded.emptied_by, filled_by = NULL,
      changed_at = excluded.changed_at;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tributary.note_filled(table_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE public.tributary_put_back
    SET filled_by = pg_current_xact_id()::text::bigint, changed_at = clock_timestamp()
    WHERE name = table_name AND (filled_by IS DISTINCT FROM pg_current_xact_id()::text::bigint
                                 OR changed_at < clock_timestamp() - interval '1 second');
END $$;

CREATE OR REPLACE FUNCTION tributary.table_filled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM tributary.note_filled(TG_TABLE_NAME);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tributary.keep_marks() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  ignored text;
BEGIN
  IF TG_WHEN = 'BEFORE' THEN
    SELECT set_config('tributary.marks', coalesce(json_agg(p), '[]')::text, true) INTO ignored
      FROM public.tributary_put_back p;
  ELSE
    INSERT INTO public.tributary_put_back SELECT * FROM json_populate_recordset(
      NULL::public.tributary_put_back, current_setting('tributary.marks')::json)
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;

-- The only statement here that locks the outbox against writers.

CREATE OR REPLACE TRIGGER tributary_check_change BEFORE INSERT ON public.tributary_outbox
  FOR EACH ROW WHEN (pg_catalog.current_setting('tributary.checked', true) IS DISTINCT FROM 'yes')
  EXECUTE FUNCTION tributary.check_change();

CREATE OR REPLACE TRIGGER tributary_remember_marks BEFORE TRUNCATE ON public.tributary_put_back
  FOR EACH STATEMENT EXECUTE FUNCTION tributary.keep_marks();
CREATE OR REPLACE TRIGGER tributary_keep_marks AFTER TRUNCATE ON public.tributary_put_back
  FOR EACH STATEMENT EXECUTE FUNCTION tributary.keep_marks();

-- 64-bit unsigned values (actor, hlc) are stored bit-cast to bigint.
--
-- tributary_outbox is a queue that is deleted from as fast as it is filled, so it is vacuumed by
-- row count and not by share. It has no fixed width text, and no index but the two that taking
-- whole transactions in id order needs (the others are almost always empty). Its amount is
-- numeric, so that the trigger sees a fraction before anything rounds it. `tag` and `written_id`:
-- see OutboxRow; written_id is NULL unless the row was parked and retried.
--
-- tributary_origin: `stamp` is the transaction that wrote the row last, so that a row put there by
-- a restore (COPY, INSERT, UPDATE) is told from the relay's own: its xmin is another. `put_back`
-- keeps that until an actor is minted.
--
-- tributary_context: `watermark` is the least that a writer of now has seen, whatever the key, and
-- `told` the join of all that any writer was told. What he has seen of each key (see WriterContext)
-- his row does not repeat: its `context_id` names it in tributary_told_context, where each stands
-- once. Ids are random, so that an id that was restored never names another
-- context; numbers grow as they were told. See context_sweep.h for when one goes, and
-- check_change() for who writes the bytes into his row instead.

CREATE SCHEMA IF NOT EXISTS tributary;

CREATE TABLE IF NOT EXISTS public.tributary_outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transaction_id bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
  hlc bigint NOT NULL,
  context_id bigint,
  amount numeric,
  exact boolean NOT NULL DEFAULT false,
  key text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  operation text COLLATE "C" NOT NULL,
  field bytea,
  value bytea,
  context bytea,
  tag bigint NOT NULL DEFAULT 0,
  written_id bigint
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000000,
        autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0,
        vacuum_truncate = off);
CREATE INDEX IF NOT EXISTS tributary_outbox_transaction
  ON public.tributary_outbox (transaction_id, id);
CREATE INDEX IF NOT EXISTS tributary_outbox_written
  ON public.tributary_outbox (written_id) WHERE written_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS tributary_outbox_context ON public.tributary_outbox (context_id)
  WHERE context_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS tributary_outbox_huge ON public.tributary_outbox (key)
  WHERE amount >= @NEAR_OVERFLOW@ OR amount <= -@NEAR_OVERFLOW@;

GRANT SELECT ON SEQUENCE public.tributary_outbox_id_seq TO PUBLIC;

CREATE TABLE IF NOT EXISTS public.tributary_batch (
  position bigint GENERATED ALWAYS AS IDENTITY,
  actor bigint NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  bytes bytea NOT NULL,
  sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  confirmed_at timestamptz,
  PRIMARY KEY (actor, first_seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE public.tributary_batch ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE INDEX IF NOT EXISTS tributary_batch_unconfirmed
  ON public.tributary_batch (position) WHERE confirmed_at IS NULL;
CREATE INDEX IF NOT EXISTS tributary_batch_retained
  ON public.tributary_batch (confirmed_at) WHERE confirmed_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS public.tributary_origin (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  name text COLLATE "C" NOT NULL,
  actor bigint,
  identity text NOT NULL DEFAULT '',
  head_seq bigint NOT NULL DEFAULT 0,
  hlc bigint NOT NULL DEFAULT 0,
  leader_epoch bigint NOT NULL DEFAULT 0,
  confirmed_seq bigint NOT NULL DEFAULT 0,
  totals_seq bigint NOT NULL DEFAULT 0,
  stamp bigint NOT NULL DEFAULT 0,
  put_back boolean NOT NULL DEFAULT false,
  counters_swept boolean NOT NULL DEFAULT true,
  history bigint NOT NULL DEFAULT 0,
  former_history bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);

CREATE TABLE IF NOT EXISTS public.tributary_actor (
  actor bigint PRIMARY KEY,
  final_seq bigint NOT NULL,
  retired_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  position bigint GENERATED ALWAYS AS IDENTITY
);

CREATE TABLE IF NOT EXISTS public.tributary_counter (
  key text COLLATE "C" NOT NULL,
  field bytea NOT NULL,
  actor bigint NOT NULL,
  increments bigint NOT NULL,
  decrements bigint NOT NULL,
  PRIMARY KEY (key, field)
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS tributary_counter_near ON public.tributary_counter (actor)
  WHERE increments >= @NEAR_OVERFLOW@ OR decrements >= @NEAR_OVERFLOW@;

CREATE TABLE IF NOT EXISTS public.tributary_context (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  watermark bytea NOT NULL DEFAULT '\x00',
  told bytea NOT NULL DEFAULT '\x00',
  hlc bigint NOT NULL DEFAULT 0,
  context_id bigint,
  number bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20);
INSERT INTO public.tributary_context DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS public.tributary_told_context (
  id bigint PRIMARY KEY,
  number bigint GENERATED ALWAYS AS IDENTITY,
  bytes bytea NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
GRANT SELECT ON SEQUENCE public.tributary_told_context_number_seq TO PUBLIC;

CREATE TABLE IF NOT EXISTS public.tributary_parked (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id bigint NOT NULL,
  transaction_id bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  operation text COLLATE "C" NOT NULL,
  field bytea,
  value bytea,
  amount numeric,
  context bytea,
  context_id bigint,
  exact boolean NOT NULL DEFAULT false,
  hlc bigint NOT NULL,
  tag bigint NOT NULL,
  reason text NOT NULL,
  parked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS tributary_parked_transaction
  ON public.tributary_parked (transaction_id, id);
CREATE INDEX IF NOT EXISTS tributary_parked_context ON public.tributary_parked (context_id)
  WHERE context_id IS NOT NULL;

CREATE TABLE IF NOT EXISTS public.tributary_discarded (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transaction_id bigint NOT NULL,
  first_id bigint NOT NULL,
  last_id bigint NOT NULL,
  tag bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS public.tributary_put_back (
  name text COLLATE "C" PRIMARY KEY,
  emptied_by bigint NOT NULL,
  filled_by bigint,
  changed_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS public.tributary_keyspace (
  position bigint PRIMARY KEY,
  pattern text COLLATE "C" NOT NULL,
  like_pattern bytea NOT NULL,
  type text COLLATE "C" NOT NULL
);
CREATE TABLE IF NOT EXISTS public.tributary_keyspace_ever (
  pattern text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL,
  PRIMARY KEY (pattern, type)
);
CREATE TABLE IF NOT EXISTS public.tributary_limits (
  name text COLLATE "C" PRIMARY KEY,
  value bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS public.tributary_operation (
  type text COLLATE "C" NOT NULL,
  operation text COLLATE "C" NOT NULL,
  takes_field boolean NOT NULL,
  takes_value boolean NOT NULL,
  takes_amount boolean NOT NULL,
  observes boolean NOT NULL,
  accumulates boolean NOT NULL,
  PRIMARY KEY (type, operation)
);
CREATE TABLE IF NOT EXISTS public.tributary_schema (
  part text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  script text NOT NULL,
  objects text NOT NULL
);

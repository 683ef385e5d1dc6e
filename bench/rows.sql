-- The rows that `./dev bench` drains, as producers leave them in the outbox: five changes a
-- transaction (a made-up id each, above any real one), keys drawn by Zipf's law (the k-th key is k
-- times rarer than the first). Everything is computed from the row's number, so every run has equal
-- rows. psql variables: rows, keys, batches (transactions that load them).
--
-- Half of the keys are counters, a quarter registers, a quarter sets of up to 100 elements, where
-- one change in five is a remove.
CREATE FUNCTION bench_draw(number bigint, purpose int) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (hashint8extended(number, purpose) & 9007199254740991) / 9007199254740992.0
$$;

CREATE PROCEDURE bench_load(row_count bigint, key_count bigint, batch_count bigint)
LANGUAGE plpgsql AS $$
DECLARE
  now_ bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
BEGIN
  FOR b IN 0 .. batch_count - 1 LOOP
    INSERT INTO tributary_outbox
      (transaction_id, key, type, operation, value, amount, context, hlc)
    SELECT 1000000000000 + i / 5,
           CASE k % 4 WHEN 2 THEN 'price:' WHEN 3 THEN 'tags:' ELSE 'views:' END || k,
           CASE k % 4 WHEN 2 THEN 'register' WHEN 3 THEN 'set' ELSE 'counter' END,
           CASE k % 4 WHEN 2 THEN 'set'
                      WHEN 3 THEN CASE WHEN bench_draw(i, 3) < 0.2 THEN 'remove' ELSE 'add' END
                      ELSE 'add' END,
           CASE k % 4 WHEN 2 THEN convert_to('written by change ' || i, 'UTF8')
                      WHEN 3 THEN convert_to('element-' || floor(bench_draw(i, 2) * 100),
                                             'UTF8') END,
           CASE WHEN k % 4 < 2 THEN (floor(bench_draw(i, 2) * 20) - 9)::bigint END,
           CASE WHEN k % 4 = 3 AND bench_draw(i, 3) < 0.2 THEN '\x00'::bytea END,
           (now_ + i / 5) << 12
    FROM (SELECT i, floor(exp(bench_draw(i, 1) * ln(key_count + 1)))::bigint AS k
          FROM generate_series(b * row_count / batch_count,
                               (b + 1) * row_count / batch_count - 1) i) drawn
    ORDER BY i;
    COMMIT;
  END LOOP;
END $$;

-- Past the triggers, which would give each row the time and the transaction of this load.
SET session_replication_role = replica;
CALL bench_load(:rows, :keys, :batches);
RESET session_replication_role;

-- For the floor, which reads the same rows, and for computing what replicas must hold.
CREATE TABLE bench_rows AS SELECT * FROM tributary_outbox ORDER BY id;
VACUUM ANALYZE bench_rows;
VACUUM ANALYZE tributary_outbox;
CHECKPOINT;

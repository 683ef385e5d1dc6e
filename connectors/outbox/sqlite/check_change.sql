-- Every row passes here, the library's too: one authority. RAISE takes a literal only, so the
-- messages name no key. Sums of totals are taken in halves of 32 bits, since SQLite would turn an
-- overflowing integer into a double.

DROP TRIGGER IF EXISTS tributary_check_change;
CREATE TRIGGER tributary_check_change BEFORE INSERT ON tributary_outbox
BEGIN
  SELECT CASE
    WHEN NEW.key IS NULL
      THEN RAISE(ABORT, 'tributary: the key is NULL; give the Redis key')
    WHEN NEW.type IS NULL OR NEW.operation IS NULL
      THEN RAISE(ABORT, 'tributary: the type or the operation is NULL (table tributary_operation)')
    WHEN typeof(NEW.key) <> 'text' OR NEW.key = '' OR instr(NEW.key, char(0)) > 0
      THEN RAISE(ABORT, 'tributary: the key is empty or not text without NUL')
    WHEN substr(NEW.key, 1, 10) = 'tributary:'
      THEN RAISE(ABORT, 'tributary: keys that start with "tributary:" hold its own state, choose another prefix')
    WHEN length(CAST(NEW.key AS BLOB)) > (SELECT value FROM tributary_limits WHERE name = 'key_bytes')
      THEN RAISE(ABORT, 'tributary: the key is longer than limits.key_bytes')
    WHEN NOT EXISTS (SELECT 1 FROM tributary_keyspace WHERE NEW.key GLOB glob)
      THEN RAISE(ABORT, 'tributary: no keyspace matches the key; add a pattern for it under keyspaces in the topology')
    WHEN (SELECT type FROM tributary_keyspace WHERE NEW.key GLOB glob ORDER BY position LIMIT 1)
         <> NEW.type
      THEN RAISE(ABORT, 'tributary: the key is of another type by its keyspace (table tributary_keyspace)')
    WHEN NOT EXISTS (SELECT 1 FROM tributary_operation o
                     WHERE o.type = NEW.type AND o.operation = NEW.operation)
      THEN RAISE(ABORT, 'tributary: the type has no such operation (table tributary_operation)')
  END;
  SELECT CASE
    WHEN takes_field <> (NEW.field IS NOT NULL)
      THEN RAISE(ABORT, 'tributary: the operation needs a field or takes none (table tributary_operation)')
    WHEN takes_value <> (NEW.value IS NOT NULL)
      THEN RAISE(ABORT, 'tributary: the operation needs a value or takes none (table tributary_operation)')
    WHEN takes_amount <> (NEW.amount IS NOT NULL)
      THEN RAISE(ABORT, 'tributary: the operation needs an amount or takes none (table tributary_operation)')
    WHEN typeof(NEW.amount) NOT IN ('integer', 'real', 'null')
      THEN RAISE(ABORT, 'tributary: the amount is not a 64-bit integer but text or a blob; give a number')
    WHEN typeof(NEW.amount) = 'real' AND (abs(NEW.amount) > 9007199254740991
                                          OR NEW.amount <> CAST(NEW.amount AS INTEGER))
      THEN RAISE(ABORT, 'tributary: the amount is not a 64-bit integer; a fraction is refused, not rounded, and so is a real beyond 2^53')
    WHEN max(length(CAST(coalesce(NEW.field, '') AS BLOB)),
             length(CAST(coalesce(NEW.value, '') AS BLOB)))
         > (SELECT value FROM tributary_limits WHERE name = 'value_bytes')
      THEN RAISE(ABORT, 'tributary: the field or the value is longer than limits.value_bytes')
    WHEN typeof(NEW.context) NOT IN ('blob', 'null')
      THEN RAISE(ABORT, 'tributary: the context is not a blob; write a token as x''...''')
    WHEN length(NEW.context) > (SELECT value FROM tributary_limits WHERE name = 'value_bytes')
      THEN RAISE(ABORT, 'tributary: the context is longer than limits.value_bytes')
  END
  FROM tributary_operation WHERE type = NEW.type AND operation = NEW.operation;
  SELECT CASE
    WHEN CASE WHEN actors < 128
              THEN length(NEW.context) NOT BETWEEN 1 + 9 * actors AND 1 + 18 * actors
              ELSE length(NEW.context) < 2 + 9 * 128 END
      THEN RAISE(ABORT, 'tributary: the context is no token; write one that `tributary read` printed, as x''...''')
  END
  FROM (SELECT 16 * instr('0123456789ABCDEF', substr(hex(substr(NEW.context, 1, 1)), 1, 1))
               + instr('0123456789ABCDEF', substr(hex(substr(NEW.context, 1, 1)), 2, 1))
               - 17 AS actors)
  WHERE NEW.context IS NOT NULL;
  SELECT CASE
    WHEN NEW.amount = -9223372036854775808
         OR max(sum(up >> 32) + (sum(up & 4294967295) >> 32),
                sum(down >> 32) + (sum(down & 4294967295) >> 32)) >= 2147483648
      THEN RAISE(ABORT, 'tributary: the counter would overflow: increments, and decrements, may each add up to 9223372036854775807')
  END
  FROM (SELECT max(CAST(NEW.amount AS INTEGER), 0) AS up,
               CASE WHEN NEW.amount >= 0 THEN 0
                    WHEN NEW.amount = -9223372036854775808 THEN 0
                    ELSE -CAST(NEW.amount AS INTEGER) END AS down
        UNION ALL
        SELECT increments, decrements FROM tributary_counter
        WHERE key = NEW.key AND field = CAST(coalesce(NEW.field, '') AS BLOB)
          AND actor = (SELECT actor FROM tributary_origin)
        UNION ALL
        SELECT max(amount, 0), max(-amount, 0) FROM tributary_outbox
        WHERE key = NEW.key AND coalesce(field, x'') = CAST(coalesce(NEW.field, '') AS BLOB)
          AND (amount >= @NEAR_OVERFLOW@ OR amount <= -@NEAR_OVERFLOW@)
          AND typeof(amount) = 'integer' AND amount <> -9223372036854775808)
  WHERE (SELECT accumulates FROM tributary_operation
         WHERE type = NEW.type AND operation = NEW.operation)
  HAVING count(*) > 0;
END;

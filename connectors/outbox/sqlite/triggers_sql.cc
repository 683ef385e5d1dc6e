#include "connectors/outbox/sqlite/schema_sql.h"

namespace tributary::sqlite {
namespace {

// Every row passes here, the library's too: one authority. RAISE takes a literal only, so the
// messages name no key. Sums of totals are taken in halves of 32 bits, since SQLite would turn an
// overflowing integer into a double.
constexpr std::string_view kCheck = R"sql(
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
          AND (amount >= 2305843009213693952 OR amount <= -2305843009213693952)
          AND typeof(amount) = 'integer' AND amount <> -9223372036854775808)
  WHERE (SELECT accumulates FROM tributary_operation
         WHERE type = NEW.type AND operation = NEW.operation)
  HAVING count(*) > 0;
END;
)sql";

// Id, time, tag and transaction are ours to give, whatever a row brings. An id that jumps could end
// SQLite's supply of ids for good, and one that goes back would stand within another transaction;
// only small gaps can come from SQLite itself.
//
// The clock has milliseconds: strftime('%f') ends in exactly three digits. A context's time counts
// when it is not behind the clock, and not beyond the year 2100 (kMaxHlc): that would be damage, or
// a lie. Nothing later is written.
constexpr std::string_view kComplete = R"sql(
DROP TRIGGER IF EXISTS tributary_complete_change;
CREATE TRIGGER tributary_complete_change AFTER INSERT ON tributary_outbox
BEGIN
  SELECT RAISE(ABORT, 'tributary: leave out the id; the outbox gives it')
  FROM tributary_transaction WHERE NEW.id <= last_id OR NEW.id > last_id + 1000000;
  UPDATE tributary_transaction SET
    last_id = NEW.id,
    changes = changes + 1,
    bytes = bytes + length(CAST(NEW.key AS BLOB)) + length(CAST(coalesce(NEW.field, '') AS BLOB))
            + length(CAST(coalesce(NEW.value, '') AS BLOB)) + coalesce(length(NEW.context), 0);
  SELECT CASE
    WHEN changes > (SELECT value FROM tributary_limits WHERE name = 'transaction_changes')
      THEN RAISE(ABORT, 'tributary: the transaction has more changes than limits.transaction_changes; split it, and end each part with UPDATE tributary_transaction SET number = number + 1')
    WHEN bytes > (SELECT value FROM tributary_limits WHERE name = 'transaction_bytes')
      THEN RAISE(ABORT, 'tributary: the changes of the transaction are longer than limits.transaction_bytes; split it, and end each part with UPDATE tributary_transaction SET number = number + 1')
  END
  FROM tributary_transaction;
  UPDATE tributary_outbox SET
    field = CAST(NEW.field AS BLOB),
    value = CAST(NEW.value AS BLOB),
    amount = CAST(NEW.amount AS INTEGER),
    transaction_id = (SELECT number FROM tributary_transaction),
    context = CASE WHEN (SELECT observes FROM tributary_operation
                         WHERE type = NEW.type AND operation = NEW.operation)
                   THEN coalesce(NEW.context, (SELECT watermark FROM tributary_context
                                               WHERE context_id IS NULL)) END,
    context_id = CASE WHEN NEW.context IS NULL
                           AND (SELECT observes FROM tributary_operation
                                WHERE type = NEW.type AND operation = NEW.operation)
                      THEN (SELECT context_id FROM tributary_context) END,
    tag = random(),
    written_id = NULL,
    exact = NEW.context IS NOT NULL
            AND (SELECT observes FROM tributary_operation
                 WHERE type = NEW.type AND operation = NEW.operation),
    hlc = (SELECT CASE WHEN hlc = 4102444800000000 << 12 THEN hlc
                       WHEN seen < clock OR seen >= 4102444800000000
                       THEN min(clock, 4102444800000000) << 12
                       WHEN hlc = 9223372036854775807 THEN -9223372036854775808
                       ELSE hlc + 1 END
           FROM (SELECT hlc, (hlc >> 12) & 4503599627370495 AS seen,
                        (CAST(strftime('%s', 'now') AS INTEGER) * 1000
                         + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER)) * 1000 AS clock
                 FROM tributary_context))
  WHERE id = NEW.id;
END;
DROP TRIGGER IF EXISTS tributary_end_transaction;
CREATE TRIGGER tributary_end_transaction AFTER UPDATE OF number ON tributary_transaction
BEGIN
  SELECT RAISE(ABORT, 'tributary: a transaction ends with UPDATE tributary_transaction SET number = number + 1')
  WHERE typeof(NEW.number) <> 'integer'
     OR NEW.number NOT BETWEEN OLD.number + 1 AND OLD.number + 1000000;
  UPDATE tributary_transaction SET changes = 0, bytes = 0;
END;
)sql";

}  // namespace

std::string triggers_sql() { return std::string(kCheck) + std::string(kComplete); }

}  // namespace tributary::sqlite

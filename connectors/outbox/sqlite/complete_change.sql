-- Id, time, tag and transaction are ours to give, whatever a row brings. An id that jumps could end
-- SQLite's supply of ids for good, and one that goes back would stand within another transaction;
-- only small gaps can come from SQLite itself.
--
-- The clock has milliseconds: strftime('%f') ends in exactly three digits. A context's time counts
-- when it is not behind the clock, and not beyond the year 2100 (kMaxHlc): that would be damage, or
-- a lie. Nothing later is written.

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
    hlc = (SELECT CASE WHEN hlc = @MAX_HLC_MICROS@ << 12 THEN hlc
                       WHEN seen < clock OR seen >= @MAX_HLC_MICROS@
                       THEN min(clock, @MAX_HLC_MICROS@) << 12
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

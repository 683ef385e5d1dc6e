-- 64-bit unsigned values (actor, hlc) are stored bit-cast. SQLite has one writer at a time, so ids
-- grow in commit order and the rows of a transaction stand together. What tells one transaction's
-- rows from the next one's is tributary_transaction.number: whoever ends a transaction adds one.
-- A writer that does not only has its rows sealed together with its neighbours', never torn, and
-- limits count them together.
--
-- `tag` and `written_id`: see OutboxRow; written_id is NULL unless the row was parked and retried.
--
-- tributary_context: `watermark` is the least that a writer of now has seen, whatever the key, and
-- `told` the join of all that any writer was told. What he has seen of each key (see WriterContext)
-- his row does not repeat: its `context_id` names it in tributary_told_context, where each stands
-- once, under a random id that never names another. Before the first was told, rows carry the
-- bytes. What an INSERT reads of it stands before the long columns.
--
-- An amount has no declared type, since SQLite would turn the text '3' into a number by itself.

CREATE TABLE IF NOT EXISTS tributary_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  transaction_id INTEGER,
  key TEXT NOT NULL,
  type TEXT NOT NULL,
  operation TEXT NOT NULL,
  field BLOB,
  value BLOB,
  amount,
  context BLOB,
  context_id INTEGER,
  exact INTEGER NOT NULL DEFAULT 0,
  hlc INTEGER,
  tag INTEGER,
  written_id INTEGER
);
CREATE INDEX IF NOT EXISTS tributary_outbox_context ON tributary_outbox (context_id)
  WHERE context_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS tributary_outbox_written ON tributary_outbox (written_id)
  WHERE written_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS tributary_outbox_huge ON tributary_outbox (key)
  WHERE amount >= @NEAR_OVERFLOW@ OR amount <= -@NEAR_OVERFLOW@;
CREATE TABLE IF NOT EXISTS tributary_transaction (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  number INTEGER NOT NULL,
  changes INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  last_id INTEGER NOT NULL DEFAULT 0
);
INSERT OR IGNORE INTO tributary_transaction (only_row, number) VALUES (1, 1);
CREATE TABLE IF NOT EXISTS tributary_batch (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  actor INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  sealed_at INTEGER NOT NULL,
  confirmed_at INTEGER,
  bytes BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS tributary_batch_seq ON tributary_batch (actor, first_seq);
CREATE INDEX IF NOT EXISTS tributary_batch_unconfirmed ON tributary_batch (position)
  WHERE confirmed_at IS NULL;
CREATE INDEX IF NOT EXISTS tributary_batch_retained ON tributary_batch (confirmed_at)
  WHERE confirmed_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS tributary_origin (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  name TEXT NOT NULL,
  actor INTEGER,
  identity TEXT NOT NULL DEFAULT '',
  generation TEXT NOT NULL DEFAULT (lower(hex(randomblob(8)))),
  place TEXT NOT NULL DEFAULT '',
  head_seq INTEGER NOT NULL DEFAULT 0,
  hlc INTEGER NOT NULL DEFAULT 0,
  leader_epoch INTEGER NOT NULL DEFAULT 0,
  stamp INTEGER NOT NULL DEFAULT 0,
  confirmed_seq INTEGER NOT NULL DEFAULT 0,
  totals_seq INTEGER NOT NULL DEFAULT 0,
  swept_key TEXT,
  swept_field BLOB,
  schema_version INTEGER NOT NULL,
  history INTEGER NOT NULL DEFAULT 0,
  former_history INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS tributary_actor (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  actor INTEGER NOT NULL UNIQUE,
  final_seq INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS tributary_counter (
  key TEXT NOT NULL,
  field BLOB NOT NULL,
  actor INTEGER NOT NULL,
  increments INTEGER NOT NULL,
  decrements INTEGER NOT NULL,
  PRIMARY KEY (key, field)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tributary_context (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  hlc INTEGER NOT NULL,
  context_id INTEGER,
  watermark BLOB NOT NULL,
  told BLOB NOT NULL
);
INSERT OR IGNORE INTO tributary_context VALUES (1, 0, NULL, x'00', x'00');
CREATE TABLE IF NOT EXISTS tributary_told_context (
  id INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS tributary_parked (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id INTEGER NOT NULL,
  transaction_id INTEGER,
  key TEXT NOT NULL,
  type TEXT NOT NULL,
  operation TEXT NOT NULL,
  field BLOB,
  value BLOB,
  amount,
  context BLOB,
  context_id INTEGER,
  exact INTEGER NOT NULL DEFAULT 0,
  hlc INTEGER,
  tag INTEGER,
  reason TEXT NOT NULL,
  parked_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS tributary_parked_transaction ON tributary_parked (transaction_id, id);
CREATE INDEX IF NOT EXISTS tributary_parked_context ON tributary_parked (context_id)
  WHERE context_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS tributary_discarded (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  transaction_id INTEGER NOT NULL,
  first_id INTEGER NOT NULL,
  last_id INTEGER NOT NULL,
  tag INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS tributary_keyspace (
  position INTEGER PRIMARY KEY,
  pattern TEXT NOT NULL,
  glob TEXT NOT NULL,
  type TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tributary_keyspace_ever (
  pattern TEXT NOT NULL,
  type TEXT NOT NULL,
  PRIMARY KEY (pattern, type)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tributary_applied (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  sql TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tributary_limits (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tributary_operation (
  type TEXT NOT NULL,
  operation TEXT NOT NULL,
  takes_field INTEGER NOT NULL,
  takes_value INTEGER NOT NULL,
  takes_amount INTEGER NOT NULL,
  observes INTEGER NOT NULL,
  accumulates INTEGER NOT NULL,
  PRIMARY KEY (type, operation)
) WITHOUT ROWID;

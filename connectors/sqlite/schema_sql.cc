#include <cstddef>

#include <tributary/connectors/sqlite/schema_sql.h>
#include <tributary/crdt/type.h>

namespace tributary::sqlite {
namespace {

// 64-bit unsigned values (actor, hlc) are stored bit-cast. SQLite has one writer at a time, so ids
// grow in commit order and the rows of a transaction stand together. What tells one transaction's
// rows from the next one's is tributary_transaction.number: whoever ends a transaction adds one.
// A writer that does not only has its rows sealed together with its neighbours', never torn.
constexpr std::string_view kTables = R"sql(
CREATE TABLE IF NOT EXISTS tributary_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  transaction_id INTEGER,
  key TEXT NOT NULL,
  type TEXT NOT NULL,
  operation TEXT NOT NULL,
  field BLOB,
  value BLOB,
  amount INTEGER,
  context BLOB,
  hlc INTEGER
);
CREATE INDEX IF NOT EXISTS tributary_outbox_huge ON tributary_outbox (key)
  WHERE amount >= 2305843009213693952 OR amount <= -2305843009213693952;
CREATE TABLE IF NOT EXISTS tributary_transaction (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  number INTEGER NOT NULL
);
INSERT OR IGNORE INTO tributary_transaction VALUES (1, 1);
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
  head_seq INTEGER NOT NULL DEFAULT 0,
  hlc INTEGER NOT NULL DEFAULT 0,
  leader_epoch INTEGER NOT NULL DEFAULT 0,
  confirmed_seq INTEGER NOT NULL DEFAULT 0,
  totals_seq INTEGER NOT NULL DEFAULT 0,
  schema_version INTEGER NOT NULL
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
  watermark BLOB NOT NULL,
  hlc INTEGER NOT NULL
);
INSERT OR IGNORE INTO tributary_context VALUES (1, x'00', 0);
CREATE TABLE IF NOT EXISTS tributary_parked (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id INTEGER NOT NULL,
  transaction_id INTEGER,
  key TEXT NOT NULL,
  type TEXT NOT NULL,
  operation TEXT NOT NULL,
  field BLOB,
  value BLOB,
  amount INTEGER,
  context BLOB,
  hlc INTEGER,
  reason TEXT NOT NULL,
  parked_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS tributary_keyspace (
  position INTEGER PRIMARY KEY,
  pattern TEXT NOT NULL,
  glob TEXT NOT NULL,
  type TEXT NOT NULL
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
)sql";

// RAISE takes a literal only, so the messages name no key. Sums of totals are taken in halves of 32
// bits, since SQLite would turn an overflowing integer into a double. The clock has milliseconds:
// strftime('%f') ends in exactly three digits. Unsigned order of hlcs: larger when negative.
constexpr std::string_view kTriggers = R"sql(
DROP TRIGGER IF EXISTS tributary_check_change;
CREATE TRIGGER tributary_check_change BEFORE INSERT ON tributary_outbox WHEN NEW.hlc IS NULL
BEGIN
  SELECT CASE
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
    WHEN typeof(NEW.amount) NOT IN ('integer', 'null')
      THEN RAISE(ABORT, 'tributary: the amount is not a 64-bit integer')
    WHEN max(length(CAST(coalesce(NEW.field, '') AS BLOB)),
             length(CAST(coalesce(NEW.value, '') AS BLOB)))
         > (SELECT value FROM tributary_limits WHERE name = 'value_bytes')
      THEN RAISE(ABORT, 'tributary: the field or the value is longer than limits.value_bytes')
    WHEN typeof(NEW.context) NOT IN ('blob', 'null')
      THEN RAISE(ABORT, 'tributary: the context is not a blob; write a token as x''...''')
  END
  FROM tributary_operation WHERE type = NEW.type AND operation = NEW.operation;
  SELECT CASE
    WHEN NEW.amount = -9223372036854775808
         OR max(sum(up >> 32) + (sum(up & 4294967295) >> 32),
                sum(down >> 32) + (sum(down & 4294967295) >> 32)) >= 2147483648
      THEN RAISE(ABORT, 'tributary: the counter would overflow: increments, and decrements, may each add up to 9223372036854775807')
  END
  FROM (SELECT max(NEW.amount, 0) AS up,
               CASE WHEN NEW.amount >= 0 THEN 0
                    WHEN NEW.amount = -9223372036854775808 THEN 0 ELSE -NEW.amount END AS down
        UNION ALL
        SELECT increments, decrements FROM tributary_counter
        WHERE key = NEW.key AND field = CAST(coalesce(NEW.field, '') AS BLOB)
        UNION ALL
        SELECT max(amount, 0), max(-amount, 0) FROM tributary_outbox
        WHERE key = NEW.key AND coalesce(field, x'') = CAST(coalesce(NEW.field, '') AS BLOB)
          AND (amount >= 2305843009213693952 OR amount <= -2305843009213693952)
          AND amount <> -9223372036854775808)
  WHERE (SELECT accumulates FROM tributary_operation
         WHERE type = NEW.type AND operation = NEW.operation)
  HAVING count(*) > 0;
END;
DROP TRIGGER IF EXISTS tributary_complete_change;
CREATE TRIGGER tributary_complete_change AFTER INSERT ON tributary_outbox WHEN NEW.hlc IS NULL
BEGIN
  UPDATE tributary_outbox SET
    field = CAST(NEW.field AS BLOB),
    value = CAST(NEW.value AS BLOB),
    transaction_id = coalesce(NEW.transaction_id, (SELECT number FROM tributary_transaction)),
    context = CASE WHEN (SELECT observes FROM tributary_operation
                         WHERE type = NEW.type AND operation = NEW.operation)
                   THEN coalesce(NEW.context, (SELECT watermark FROM tributary_context)) END,
    hlc = (SELECT CASE WHEN (seen < 0) = (clock < 0) THEN max(seen, clock)
                       WHEN seen < 0 THEN seen ELSE clock END
           FROM (SELECT hlc + 1 AS seen,
                        ((CAST(strftime('%s', 'now') AS INTEGER) * 1000
                          + CAST(substr(strftime('%f', 'now'), 4) AS INTEGER)) * 1000) << 12 AS clock
                 FROM tributary_context))
  WHERE id = NEW.id;
END;
)sql";

}  // namespace

std::string_view tables_sql() { return kTables; }
std::string_view triggers_sql() { return kTriggers; }

std::string quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out.push_back(c);
    out.push_back(c);
  }
  return out + "'";
}

std::string glob_of(std::string_view pattern) {
  std::string out;
  for (const char c : pattern) {
    if (c == '[') out.append("[[]");
    else out.push_back(c);
  }
  return out;
}

std::string rules_sql(const Schema& schema) {
  std::string sql = "DELETE FROM tributary_keyspace;\nDELETE FROM tributary_operation;\n";
  for (std::size_t i = 0; i < schema.keyspaces.size(); ++i) {
    const Keyspace& keyspace = schema.keyspaces[i];
    sql += "INSERT INTO tributary_keyspace VALUES (" + std::to_string(i + 1) + "," +
           quote(keyspace.pattern) + "," + quote(glob_of(keyspace.pattern)) + "," +
           quote(keyspace.type) + ");\n";
  }
  const auto limit = [&](std::string_view name, std::size_t value) {
    sql += "INSERT OR REPLACE INTO tributary_limits VALUES (" + quote(name) + "," +
           std::to_string(value) + ");\n";
  };
  limit("key_bytes", schema.limits.key_bytes);
  limit("value_bytes", schema.limits.value_bytes);
  limit("transaction_changes", schema.limits.transaction_changes);
  limit("transaction_bytes", schema.limits.transaction_bytes);
  for (const crdt::Type* type : crdt::types()) {
    for (const crdt::Operation& operation : type->operations) {
      const crdt::Operand operand = operation.operand;
      sql += "INSERT INTO tributary_operation VALUES (" + quote(type->name) + "," +
             quote(operation.name);
      for (const bool flag : {takes_field(operand), takes_value(operand), takes_amount(operand),
                              operation.observes, operation.accumulates}) {
        sql.append(flag ? ",1" : ",0");
      }
      sql += ");\n";
    }
  }
  return sql;
}

}  // namespace tributary::sqlite

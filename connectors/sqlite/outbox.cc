#include <algorithm>
#include <limits>
#include <optional>

#include <sqlite3.h>

#include <tributary/base/clock.h>
#include <tributary/connectors/sqlite/statement.h>
#include <tributary/outbox/sqlite.h>

namespace tributary::sqlite {
namespace {

using CounterKey = std::pair<std::string, std::string>;

void add_saturating(crdt::Totals& totals, std::int64_t amount) {
  if (accumulate(totals, amount)) return;
  (amount >= 0 ? totals.increments : totals.decrements) = std::numeric_limits<std::int64_t>::max();
}

/// Whatever SQLite cannot give back as it was is refused here.
Result<const crdt::Operation*> operation_of(const Change& change) {
  const crdt::Type* type = crdt::find_type(change.type);
  const crdt::Operation* operation =
      type == nullptr ? nullptr : crdt::find_operation(*type, change.operation);
  if (operation == nullptr) {
    return fail(ErrorKind::kInvalid, "key \"" + change.key + "\": there is no operation \"" +
                                         change.operation + "\" of a type \"" + change.type + "\"");
  }
  if (change.key.empty() || change.key.find('\0') != std::string::npos) {
    return fail(ErrorKind::kInvalid,
                "a key is empty or has a NUL, which an outbox in SQLite "
                "cannot hold");
  }
  return operation;
}

struct Statements {
  Statement context;
  Statement totals;
  Statement pending;
  Statement insert;
  Statement end;

  static Result<Statements> prepare(sqlite3* db) {
    TRIBUTARY_ASSIGN(Statement context,
                     Statement::prepare(db,
                                        "SELECT watermark, c.hlc, number "
                                        "FROM tributary_context c, tributary_transaction"));
    TRIBUTARY_ASSIGN(Statement totals,
                     Statement::prepare(db,
                                        "SELECT increments, decrements FROM tributary_counter "
                                        "WHERE key = ? AND field = ?"));
    TRIBUTARY_ASSIGN(
        Statement pending,
        Statement::prepare(db,
                           "SELECT amount FROM tributary_outbox "
                           "WHERE key = ? AND coalesce(field, x'') = ? AND "
                           "(amount >= 2305843009213693952 OR amount <= -2305843009213693952)"));
    TRIBUTARY_ASSIGN(
        Statement insert,
        Statement::prepare(db,
                           "INSERT INTO tributary_outbox (transaction_id, key, type, operation, "
                           "field, value, amount, context, hlc) VALUES (?,?,?,?,?,?,?,?,?)"));
    TRIBUTARY_ASSIGN(
        Statement end,
        Statement::prepare(db, "UPDATE tributary_transaction SET number = number + ?"));
    return Statements{std::move(context), std::move(totals), std::move(pending), std::move(insert),
                      std::move(end)};
  }
};

class Outbox final : public OutboxConnection {
 public:
  Outbox(sqlite3* connection, Schema schema, Statements statements)
      : connection_(connection), schema_(std::move(schema)), statements_(std::move(statements)) {}

  const Schema& schema() const override { return schema_; }

  Result<std::vector<std::pair<CounterKey, crdt::Totals>>> near_overflow(
      std::span<const CounterKey> keys) override {
    std::vector<std::pair<CounterKey, crdt::Totals>> near;
    for (const CounterKey& key : keys) {
      TRIBUTARY_ASSIGN(const crdt::Totals totals, totals_of(key));
      if (std::max(totals.increments, totals.decrements) >= kNearOverflow) {
        near.emplace_back(key, totals);
      }
    }
    return near;
  }

  Result<void> insert(std::span<const Change> changes) override {
    if (changes.empty()) return {};
    TRIBUTARY_TRY(check_open());
    TRIBUTARY_TRY(execute(connection_, "SAVEPOINT tributary_insert"));
    auto done = insert_rows(changes);
    if (!done) {
      // A failure such as a full disk may have rolled everything back already.
      if (sqlite3_get_autocommit(connection_) == 0) {
        TRIBUTARY_TRY(execute(connection_, "ROLLBACK TO tributary_insert"));
        TRIBUTARY_TRY(execute(connection_, "RELEASE tributary_insert"));
      }
      return done;
    }
    return execute(connection_, "RELEASE tributary_insert");
  }

  /// Before committing, ends the transaction's number, so that its rows can be told from the next
  /// transaction's.
  Result<void> commit() override {
    TRIBUTARY_TRY(check_open());
    const bool inserted = std::exchange(inserted_, false);
    if (inserted) TRIBUTARY_TRY(statements_.end.add(std::int64_t{1}).run());
    auto done = execute(connection_, "COMMIT");
    if (!done && inserted && sqlite3_get_autocommit(connection_) == 0) {
      inserted_ = true;  // the transaction goes on, and so must its number
      TRIBUTARY_TRY(statements_.end.add(std::int64_t{-1}).run());
    }
    return done;
  }

 private:
  Result<void> check_open() const {
    if (sqlite3_get_autocommit(connection_) == 0) return {};
    return fail(ErrorKind::kInvalid, "no transaction is open on the connection: BEGIN first");
  }

  Result<crdt::Totals> totals_of(const CounterKey& key) {
    crdt::Totals totals;
    statements_.totals.add_text(key.first).add_blob(key.second);
    TRIBUTARY_ASSIGN(const bool stored, statements_.totals.step());
    if (stored) totals = {statements_.totals.integer(0), statements_.totals.integer(1)};
    statements_.totals.reset();
    statements_.pending.add_text(key.first).add_blob(key.second);
    while (true) {
      TRIBUTARY_ASSIGN(const bool row, statements_.pending.step());
      if (!row) return totals;
      add_saturating(totals, statements_.pending.integer(0));
    }
  }

  Result<void> insert_rows(std::span<const Change> changes) {
    Statement& context = statements_.context;
    TRIBUTARY_ASSIGN(const bool found, context.step());
    if (!found) return fail(ErrorKind::kFatal, "the outbox is empty: `tributary topology apply`");
    const std::string watermark(context.bytes(0));
    const auto now = static_cast<std::uint64_t>(SystemClock().wall().count());
    const std::uint64_t hlc =
        std::max(Hlc::from_micros(now).value, context.unsigned_integer(1) + 1);
    const std::int64_t number = context.integer(2);
    context.reset();
    for (const Change& change : changes) {
      TRIBUTARY_ASSIGN(const crdt::Operation* operation, operation_of(change));
      TRIBUTARY_TRY(insert_row(change, *operation, number, hlc, watermark));
    }
    inserted_ = true;
    return {};
  }

  Result<void> insert_row(const Change& change, const crdt::Operation& operation,
                          std::int64_t number, std::uint64_t hlc, const std::string& watermark) {
    Statement& row = statements_.insert;
    const std::string context = change.context ? change.context->bytes() : std::string();
    row.add(number).add_text(change.key).add_text(change.type).add_text(change.operation);
    takes_field(operation.operand) ? row.add_blob(change.field) : row.add_null();
    takes_value(operation.operand) ? row.add_blob(change.value) : row.add_null();
    takes_amount(operation.operand) ? row.add(change.amount) : row.add_null();
    if (!operation.observes) row.add_null();
    else row.add_blob(change.context ? context : watermark);
    return row.add(hlc).run();
  }

  sqlite3* connection_;
  Schema schema_;
  Statements statements_;
  bool inserted_ = false;
};

Result<Schema> read_schema(sqlite3* connection) {
  Schema schema;
  TRIBUTARY_ASSIGN(Statement keyspaces,
                   Statement::prepare(connection,
                                      "SELECT pattern, type FROM tributary_keyspace "
                                      "ORDER BY position"));
  while (true) {
    TRIBUTARY_ASSIGN(const bool row, keyspaces.step());
    if (!row) break;
    schema.keyspaces.push_back({std::string(keyspaces.bytes(0)), std::string(keyspaces.bytes(1))});
  }
  TRIBUTARY_ASSIGN(Statement limits,
                   Statement::prepare(connection, "SELECT name, value FROM tributary_limits"));
  while (true) {
    TRIBUTARY_ASSIGN(const bool row, limits.step());
    if (!row) return schema;
    const std::string_view name = limits.bytes(0);
    const auto value = static_cast<std::size_t>(limits.integer(1));
    if (name == "key_bytes") schema.limits.key_bytes = value;
    else if (name == "value_bytes") schema.limits.value_bytes = value;
    else if (name == "transaction_changes") schema.limits.transaction_changes = value;
    else if (name == "transaction_bytes") schema.limits.transaction_bytes = value;
  }
}

}  // namespace

Result<std::unique_ptr<OutboxConnection>> open_outbox(sqlite3* connection) {
  auto schema = read_schema(connection);
  if (!schema) {
    Error error = std::move(schema).error();
    if (error.kind == ErrorKind::kFatal) error.kind = ErrorKind::kInvalid;
    return fail(std::move(error));
  }
  TRIBUTARY_ASSIGN(Statements statements, Statements::prepare(connection));
  return std::make_unique<Outbox>(connection, std::move(*schema), std::move(statements));
}

}  // namespace tributary::sqlite

#include <utility>

#include <sqlite3.h>

#include <tributary/outbox/sqlite.h>

#include "connectors/outbox/sqlite/rules.h"
#include "connectors/outbox/sqlite/statement.h"

namespace tributary::sqlite {
namespace {

/// Amounts and contexts of operations that take none are left out; a trigger checks the rest.
Result<const crdt::Operation*> operation_of(const Change& change) {
  const crdt::Type* type = crdt::find_type(change.type);
  const crdt::Operation* operation =
      type == nullptr ? nullptr : crdt::find_operation(*type, change.operation);
  if (operation != nullptr) return operation;
  return fail(ErrorKind::kInvalid, "key \"" + change.key + "\": there is no operation \"" +
                                       change.operation + "\" of a type \"" + change.type + "\"");
}

class Outbox final : public OutboxConnection {
 public:
  Outbox(sqlite3* connection, Schema schema, Statement insert)
      : connection_(connection), schema_(std::move(schema)), insert_(std::move(insert)) {}

  const Schema& schema() const override { return schema_; }

  /// None: the trigger looks at the totals.
  Result<std::vector<std::pair<std::pair<std::string, std::string>, crdt::Totals>>> near_overflow(
      std::span<const std::pair<std::string, std::string>> /*keys*/) override {
    return {};
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
        return done;
      }
      inserted_ = false;
      return fail(not_committed(done.error()));
    }
    return execute(connection_, "RELEASE tributary_insert");
  }

  /// Before committing, ends the transaction's number, so that its rows can be told from the next
  /// transaction's.
  Result<void> commit() override {
    TRIBUTARY_TRY(check_open());
    if (inserted_) {
      TRIBUTARY_TRY(execute(connection_,
                            "SAVEPOINT tributary_end; "
                            "UPDATE tributary_transaction SET number = number + 1"));
    }
    auto done = execute(connection_, "COMMIT");
    const bool open = sqlite3_get_autocommit(connection_) == 0;
    if (done || !open) {
      inserted_ = false;
      if (done) return done;
      return fail(not_committed(done.error()));
    }
    // The transaction goes on, and so must its number.
    if (inserted_) {
      TRIBUTARY_TRY(execute(connection_, "ROLLBACK TO tributary_end; RELEASE tributary_end"));
    }
    return fail(done.error().in("the transaction is still open; commit again, or ROLLBACK"));
  }

 private:
  Result<void> check_open() const {
    if (sqlite3_get_autocommit(connection_) == 0) return {};
    return fail(ErrorKind::kInvalid, "no transaction is open on the connection: BEGIN first");
  }

  static Error not_committed(Error error) {
    if (error.kind == ErrorKind::kTransient) error.kind = ErrorKind::kConflict;
    return error.in("the transaction was rolled back; try it again from its BEGIN");
  }

  Result<void> insert_rows(std::span<const Change> changes) {
    for (const Change& change : changes) {
      TRIBUTARY_ASSIGN(const crdt::Operation* operation, operation_of(change));
      if (auto done = insert_row(change, *operation); !done) {
        return fail(done.error().in("key \"" + change.key + "\""));
      }
    }
    inserted_ = true;
    return {};
  }

  Result<void> insert_row(const Change& change, const crdt::Operation& operation) {
    const std::string context = change.context ? change.context->bytes() : std::string();
    insert_.add_text(change.key).add_text(change.type).add_text(change.operation);
    takes_field(operation.operand) ? insert_.add_blob(change.field) : insert_.add_null();
    takes_value(operation.operand) ? insert_.add_blob(change.value) : insert_.add_null();
    takes_amount(operation.operand) ? insert_.add(change.amount) : insert_.add_null();
    const bool exact = operation.observes && change.context;
    exact ? insert_.add_blob(context) : insert_.add_null();
    return insert_.run();
  }

  sqlite3* connection_;
  Schema schema_;
  Statement insert_;
  bool inserted_ = false;
};

Result<std::unique_ptr<OutboxConnection>> open(sqlite3* connection) {
  TRIBUTARY_TRY(check_version(connection));
  TRIBUTARY_ASSIGN(Schema schema, read_schema(connection));
  TRIBUTARY_ASSIGN(Statement insert,
                   Statement::prepare(connection,
                                      "INSERT INTO tributary_outbox (key, type, operation, "
                                      "field, value, amount, context) VALUES (?,?,?,?,?,?,?)"));
  return std::make_unique<Outbox>(connection, std::move(schema), std::move(insert));
}

}  // namespace

Result<std::unique_ptr<OutboxConnection>> open_outbox(sqlite3* connection) {
  auto outbox = open(connection);
  if (outbox || outbox.error().kind != ErrorKind::kFatal) return outbox;
  return fail(ErrorKind::kInvalid, std::move(outbox).error().message);
}

}  // namespace tributary::sqlite

#include <algorithm>
#include <cstring>
#include <optional>

#include <libpq-fe.h>

#include <tributary/outbox/postgres.h>

#include "connectors/outbox/postgres/errors.h"
#include "connectors/outbox/postgres/params.h"
#include "connectors/outbox/postgres/text.h"

namespace tributary::postgres {
namespace {

/// One call of tributary.insert_changes() carries about this much, far below PostgreSQL's 1 GB.
constexpr std::size_t kCallBytes = std::size_t{64} << 20;
constexpr std::size_t kRowBytes = 64;  // array headers of one change

Result<ResultHandle> succeed(PGconn* connection, PGresult* raw) {
  ResultHandle result(raw);
  const ExecStatusType status = PQresultStatus(raw);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return result;
  return fail(error_of(raw, connection));
}

std::size_t size_of(const Change& change) {
  return kRowBytes + change.key.size() + change.type.size() + change.operation.size() +
         change.field.size() + change.value.size();
}

Result<void> check_key(std::string_view key) {
  if (!key.empty() && fits_text(key)) return {};
  return fail(ErrorKind::kInvalid, "key \"" + made_text(key) +
                                       "\" is empty or not UTF-8 without NUL, as an outbox in " +
                                       "PostgreSQL needs it");
}

/// Whatever would make the server fail, and with it the caller's transaction, is refused here.
Result<const crdt::Operation*> operation_of(const Change& change) {
  const crdt::Type* type = crdt::find_type(change.type);
  const crdt::Operation* operation =
      type == nullptr ? nullptr : crdt::find_operation(*type, change.operation);
  if (operation == nullptr) {
    return fail(ErrorKind::kInvalid, "key \"" + change.key + "\": there is no operation \"" +
                                         change.operation + "\" of a type \"" + change.type + "\"");
  }
  TRIBUTARY_TRY(check_key(change.key));
  return operation;
}

/// The commit failed, and the server told so: then nothing was committed, but for a state that
/// says it does not know (40003). A connection that ended during the commit tells nothing.
Error commit_error(const PGresult* result, const PGconn* connection) {
  Error error = error_of(result, connection);
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* severity =
      result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  const bool told = state != nullptr && severity != nullptr &&
                    std::strcmp(severity, "ERROR") == 0 && PQstatus(connection) == CONNECTION_OK &&
                    std::strcmp(state, "40003") != 0;
  if (!told) {
    error.kind = ErrorKind::kTransient;
    return error.in("the commit may or may not have happened");
  }
  if (error.kind == ErrorKind::kTransient || error.kind == ErrorKind::kConflict) {
    error.kind = ErrorKind::kConflict;
    return error.in("the transaction was not committed; try it again from its BEGIN");
  }
  error.kind = ErrorKind::kInvalid;
  return error.in("the transaction was not committed: nothing was written");
}

/// The arguments of tributary.insert_changes().
class Arguments {
 public:
  void add(const Change& change, const crdt::Operation& operation) {
    keys_.add(change.key);
    types_.add(change.type);
    operations_.add(change.operation);
    if (takes_field(operation.operand)) fields_.add(change.field);
    else fields_.add_null();
    if (takes_value(operation.operand)) values_.add(change.value);
    else values_.add_null();
    if (takes_amount(operation.operand)) amounts_.add(change.amount);
    else amounts_.add_null();
    // Empty bytes stand for the watermark; an empty context has a byte.
    if (!operation.observes) contexts_.add_null();
    else contexts_.add(change.context ? change.context->bytes() : std::string());
  }

  Params params() {
    Params params;
    for (ArrayParam* array :
         {&keys_, &types_, &operations_, &fields_, &values_, &amounts_, &contexts_}) {
      params.add(array->finish());
    }
    return params;
  }

 private:
  ArrayParam keys_{SqlType::kBytea};
  ArrayParam types_{SqlType::kText};
  ArrayParam operations_{SqlType::kText};
  ArrayParam fields_{SqlType::kBytea};
  ArrayParam values_{SqlType::kBytea};
  ArrayParam amounts_{SqlType::kBigint};
  ArrayParam contexts_{SqlType::kBytea};
};

/// The whole transaction has failed with the call, but the kind says what to do.
Error insert_error(const PGresult* result, const PGconn* connection) {
  Error error = error_of(result, connection);
  const char* field = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string_view state = field == nullptr ? "" : field;
  if (state.starts_with("22") || state.starts_with("23")) error.kind = ErrorKind::kInvalid;
  if (!state.starts_with("40")) return error;
  error.kind = ErrorKind::kConflict;
  return error.in("the transaction has failed; ROLLBACK, and try it again from its BEGIN");
}

class Outbox final : public OutboxConnection {
 public:
  Outbox(PGconn* connection, Schema schema) : connection_(connection), schema_(std::move(schema)) {}

  Result<void> accepts(const Change& change) const override { return check_key(change.key); }
  const Schema& schema() const override { return schema_; }

  /// None: insert() looks at the totals itself, in its one round trip.
  Result<std::vector<std::pair<std::pair<std::string, std::string>, crdt::Totals>>> near_overflow(
      std::span<const std::pair<std::string, std::string>> /*keys*/) override {
    return {};
  }

  Result<void> insert(std::span<const Change> changes) override {
    if (changes.empty()) return {};
    TRIBUTARY_TRY(check_open());
    std::vector<const crdt::Operation*> operations;
    operations.reserve(changes.size());
    std::size_t bytes = 0;
    for (const Change& change : changes) {
      TRIBUTARY_ASSIGN(const crdt::Operation* operation, operation_of(change));
      operations.push_back(operation);
      bytes += size_of(change);
    }
    if (bytes <= kCallBytes) return call(changes, operations);
    return in_parts(changes, operations);
  }

  Result<void> commit() override {
    TRIBUTARY_TRY(check_open());
    const ResultHandle done(PQexec(connection_, "COMMIT"));
    if (PQresultStatus(done.get()) != PGRES_COMMAND_OK) {
      return fail(commit_error(done.get(), connection_));
    }
    // The server answers COMMIT of a failed transaction with ROLLBACK, and no error.
    if (std::strcmp(PQcmdStatus(done.get()), "COMMIT") != 0) {
      return fail(ErrorKind::kInvalid,
                  "the transaction had failed before and was rolled back: nothing was written");
    }
    return {};
  }

 private:
  Result<void> check_open() const {
    switch (PQtransactionStatus(connection_)) {
      case PQTRANS_INTRANS: return {};
      case PQTRANS_IDLE:
        return fail(ErrorKind::kInvalid, "no transaction is open on the connection: BEGIN first");
      case PQTRANS_INERROR:
        return fail(ErrorKind::kInvalid,
                    "the transaction has failed and takes no more statements: ROLLBACK");
      case PQTRANS_ACTIVE:
        return fail(ErrorKind::kInvalid, "a statement is in progress on the connection");
      case PQTRANS_UNKNOWN: break;
    }
    return fail(broken(connection_));
  }

  Result<void> call(std::span<const Change> changes,
                    std::span<const crdt::Operation* const> operations) {
    Arguments arguments;
    for (std::size_t i = 0; i < changes.size(); ++i) arguments.add(changes[i], *operations[i]);
    const Params params = arguments.params();
    const ResultHandle result(PQexecParams(
        connection_,
        "SELECT tributary.insert_changes($1::bytea[], $2::text[], $3::text[], "
        "$4::bytea[], $5::bytea[], $6::bigint[], $7::bytea[])",
        params.count(), nullptr, params.values(), params.lengths(), params.formats(), 0));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
      return fail(insert_error(result.get(), connection_));
    }
    if (PQgetisnull(result.get(), 0, 0) != 0) return {};
    return fail(ErrorKind::kInvalid,
                "counter \"" + std::string(PQgetvalue(result.get(), 0, 0)) +
                    "\" would overflow: one origin's increments, and its decrements, may each " +
                    "add up to 9223372036854775807 at most");
  }

  /// A transaction too large for one call: several, all or none by a savepoint.
  Result<void> in_parts(std::span<const Change> changes,
                        std::span<const crdt::Operation* const> operations) {
    TRIBUTARY_TRY(succeed(connection_, PQexec(connection_, "SAVEPOINT tributary_insert")));
    std::size_t from = 0;
    while (from < changes.size()) {
      std::size_t to = from;
      for (std::size_t bytes = 0; to < changes.size() && bytes < kCallBytes; ++to) {
        bytes += size_of(changes[to]);
      }
      if (auto done = call(changes.subspan(from, to - from), operations.subspan(from, to - from));
          !done) {
        TRIBUTARY_TRY(succeed(connection_, PQexec(connection_,
                                                  "ROLLBACK TO SAVEPOINT tributary_insert; "
                                                  "RELEASE SAVEPOINT tributary_insert")));
        return done;
      }
      from = to;
    }
    TRIBUTARY_TRY(succeed(connection_, PQexec(connection_, "RELEASE SAVEPOINT tributary_insert")));
    return {};
  }

  PGconn* connection_;
  Schema schema_;
};

/// One query, so that a caller's open transaction sees no error when the tables are missing.
constexpr const char* kReadSchema =
    "SELECT 'keyspace', convert_to(pattern, 'UTF8'), type, 0::bigint, position "
    "FROM public.tributary_keyspace "
    "UNION ALL SELECT 'limit', convert_to(name, 'UTF8'), '', value, 0 "
    "FROM public.tributary_limits ORDER BY 5";

std::string_view cell(const PGresult* result, int row, int column) {
  return {PQgetvalue(result, row, column),
          static_cast<std::size_t>(PQgetlength(result, row, column))};
}

Schema read_schema(const PGresult* result) {
  Schema schema;
  for (int row = 0; row < PQntuples(result); ++row) {
    const std::string_view name = cell(result, row, 1);
    if (cell(result, row, 0) == "keyspace") {
      schema.keyspaces.push_back({std::string(name), std::string(cell(result, row, 2))});
      continue;
    }
    const auto value = static_cast<std::size_t>(read_bigint(PQgetvalue(result, row, 3)));
    if (name == "key_bytes") schema.limits.key_bytes = value;
    else if (name == "value_bytes") schema.limits.value_bytes = value;
    else if (name == "transaction_changes") schema.limits.transaction_changes = value;
    else if (name == "transaction_bytes") schema.limits.transaction_bytes = value;
  }
  return schema;
}

}  // namespace

Result<std::unique_ptr<OutboxConnection>> open_outbox(PGconn* connection) {
  if (PQstatus(connection) != CONNECTION_OK) return fail(broken(connection));
  TRIBUTARY_ASSIGN(
      const ResultHandle present,
      succeed(connection, PQexec(connection,
                                 "SELECT to_regclass('public.tributary_limits'), "
                                 "to_regprocedure('tributary.insert_changes(bytea[],"
                                 "text[],text[],bytea[],bytea[],bigint[],bytea[])')")));
  if (PQgetisnull(present.get(), 0, 0) != 0 || PQgetisnull(present.get(), 0, 1) != 0) {
    return fail(ErrorKind::kInvalid, "PostgreSQL database \"" + std::string(PQdb(connection)) +
                                         "\" has no outbox: run `tributary topology apply`");
  }
  TRIBUTARY_ASSIGN(const ResultHandle rules,
                   succeed(connection, PQexecParams(connection, kReadSchema, 0, nullptr, nullptr,
                                                    nullptr, nullptr, 1)));
  return std::make_unique<Outbox>(connection, read_schema(rules.get()));
}

}  // namespace tributary::postgres

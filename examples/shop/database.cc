#include "database.h"

#include <string_view>

#include <libpq-fe.h>

namespace shop {
namespace {

using tributary::ErrorKind;

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};

std::string trimmed(std::string_view message) {
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) {
    message.remove_suffix(1);
  }
  return std::string(message);
}

/// Serialization failures and deadlocks (class 40) and lost connections pass; the rest does not.
ErrorKind kind_of(const PGresult* result, const PGconn* connection) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const bool again = state != nullptr && std::string_view(state).starts_with("40");
  return again || PQstatus(connection) != CONNECTION_OK ? ErrorKind::kTransient
                                                        : ErrorKind::kInvalid;
}

}  // namespace

void Database::Close::operator()(PGconn* connection) const { PQfinish(connection); }

Result<Database> Database::connect(const std::string& url) {
  Database database(PQconnectdb(url.c_str()));
  if (PQstatus(database.get()) != CONNECTION_OK) {
    return tributary::fail(ErrorKind::kTransient, trimmed(PQerrorMessage(database.get())));
  }
  PQsetNoticeProcessor(
      database.get(), [](void*, const char*) {}, nullptr);
  return database;
}

Result<Rows> Database::run(const std::string& sql, std::initializer_list<std::string> parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  const std::unique_ptr<PGresult, Clear> result(
      values.empty() ? PQexec(get(), sql.c_str())
                     : PQexecParams(get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                    values.data(), nullptr, nullptr, 0));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    return tributary::fail(kind_of(result.get(), get()), trimmed(PQerrorMessage(get())));
  }
  Rows rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    std::vector<std::string>& cells = rows.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      cells.emplace_back(PQgetvalue(result.get(), row, column));
    }
  }
  return rows;
}

void Database::roll_back() {
  const PGTransactionStatusType status = PQtransactionStatus(get());
  if (status != PQTRANS_INTRANS && status != PQTRANS_INERROR) return;
  PQclear(PQexec(get(), "ROLLBACK"));  // if this fails, the server rolls back on disconnect
}

}  // namespace shop

/// A connection for plain SQL.
#pragma once

#include <memory>
#include <string>

#include <libpq-fe.h>

namespace tributary::outbox_suite {

class Psql {
 public:
  explicit Psql(const std::string& url) : connection_(PQconnectdb(url.c_str()), PQfinish) {}
  /// The first cell; "ok" when there is none, or nothing in it; or the error with its hint.
  std::string run(const std::string& sql) const {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexec(connection_.get(), sql.c_str()), PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_TUPLES_OK && PQntuples(result.get()) > 0 &&
        PQgetlength(result.get(), 0, 0) > 0) {
      return PQgetvalue(result.get(), 0, 0);
    }
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return "ok";
    return PQerrorMessage(connection_.get());
  }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

}  // namespace tributary::outbox_suite

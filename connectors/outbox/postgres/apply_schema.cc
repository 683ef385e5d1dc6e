#include <algorithm>
#include <string>
#include <thread>

#include <libpq-fe.h>

#include "connectors/outbox/postgres/outbox_store.h"
#include "connectors/outbox/postgres/schema_part.h"
#include "connectors/outbox/postgres/schema_sql.h"
#include "connectors/outbox/postgres/session.h"

namespace tributary::postgres {
namespace {

/// A lock that waits keeps out everybody behind it, so it waits no longer than a reader notices.
constexpr Millis kLockWait{100};
constexpr Millis kFirstPause{200};
constexpr Millis kLongestPause{2000};

std::string text(const ResultHandle& result, int column) {
  return PQgetvalue(result.get(), 0, column);
}

Result<void> check_server(PGconn* connection) {
  constexpr int kOldestServer = 140000;
  if (PQserverVersion(connection) < kOldestServer) {
    return fail(ErrorKind::kInvalid, "PostgreSQL " + std::to_string(PQserverVersion(connection)) +
                                         " is too old: 14 or later is needed");
  }
  TRIBUTARY_ASSIGN(const ResultHandle row, run(connection, "SHOW server_encoding"));
  if (text(row, 0) != "UTF8" && text(row, 0) != "SQL_ASCII") {
    return fail(ErrorKind::kInvalid, "the database's encoding is " + text(row, 0) +
                                         ": create it with --encoding=UTF8 --template=template0");
  }
  return {};
}

Error of_a_pre_release() {
  return Error{ErrorKind::kInvalid,
               "the outbox tables were made by an earlier pre-release, whose changes this program "
               "cannot read: keep the earlier program running until its `tributary status` says "
               "that nothing waits, then give the origin a new, empty database, and keep the old "
               "one until you miss nothing"};
}

/// An outbox that is there already must be ours, and of our version.
Result<void> check_present(PGconn* connection, const OriginName& origin) {
  TRIBUTARY_ASSIGN(const ResultHandle tables, run(connection,
                                                  "SELECT to_regclass('public.tributary_origin'), "
                                                  "to_regclass('public.tributary_schema')"));
  if (PQgetisnull(tables.get(), 0, 0) != 0) return {};
  if (PQgetisnull(tables.get(), 0, 1) != 0) return fail(of_a_pre_release());
  TRIBUTARY_ASSIGN(const ResultHandle row,
                   run(connection,
                       "SELECT name, (SELECT max(version) FROM public.tributary_schema)"
                       " FROM public.tributary_origin"));
  if (PQntuples(row.get()) == 0 || PQgetisnull(row.get(), 0, 1) != 0) return {};
  if (text(row, 0) != origin.value) {
    return fail(ErrorKind::kInvalid, "the database is the outbox of origin \"" + text(row, 0) +
                                         "\": give every origin a database of its own");
  }
  if (std::stoll(text(row, 1)) < kSchemaVersion) return fail(of_a_pre_release());
  if (std::stoll(text(row, 1)) > kSchemaVersion) {
    return fail(ErrorKind::kInvalid, "the outbox tables are of version " + text(row, 1) +
                                         ", this program knows " + std::to_string(kSchemaVersion) +
                                         ": use a newer tributary");
  }
  return {};
}

/// One attempt, in one transaction: nothing, or everything. Checking a function's body would lock
/// the tables that it names.
Result<void> attempt(PGconn* connection, const std::vector<SchemaPart>& parts) {
  std::vector<const SchemaPart*> changed;
  for (const SchemaPart& part : parts) {
    TRIBUTARY_ASSIGN(const bool same, up_to_date(connection, part));
    if (!same) changed.push_back(&part);
  }
  if (changed.empty()) return {};
  TRIBUTARY_TRY(run(connection,
                    "BEGIN; SET LOCAL client_min_messages = warning; "
                    "SET LOCAL check_function_bodies = off; SET LOCAL lock_timeout = " +
                        std::to_string(kLockWait.count()) +
                        "; SELECT pg_advisory_xact_lock(1953653092, 0)"));
  auto done = [&]() -> Result<void> {
    for (const SchemaPart* part : changed) TRIBUTARY_TRY(run_part(connection, *part));
    TRIBUTARY_TRY(run(connection, "COMMIT"));
    return {};
  }();
  if (!done && PQtransactionStatus(connection) != PQTRANS_IDLE) {
    static_cast<void>(run(connection, "ROLLBACK"));
  }
  return done;
}

/// Lets writers through between two attempts.
Result<void> apply(PGconn* connection, const OriginName& origin, const Schema& schema,
                   Millis deadline) {
  TRIBUTARY_TRY(check_server(connection));
  TRIBUTARY_TRY(check_present(connection, origin));
  const std::vector<SchemaPart> parts = schema_parts(origin, schema);
  const SystemClock clock;
  const Micros until = clock.monotonic() + deadline;
  for (Millis pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    auto done = attempt(connection, parts);
    if (done || done.error().kind != ErrorKind::kTransient) return done;
    if (PQstatus(connection) != CONNECTION_OK || clock.monotonic() + pause >= until) {
      return fail(done.error().in("nothing was changed" + lock_holders(connection)));
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace

Result<void> apply_schema(const std::string& url, const OriginName& origin, const Schema& schema,
                          Millis deadline) {
  // A lock is waited for briefly (see above), and what takes time beyond that is work.
  const std::string settings = std::string(kNeededSettings) +
                               " -c statement_timeout=0 -c idle_in_transaction_session_timeout=0";
  TRIBUTARY_ASSIGN(const ConnectionHandle connection,
                   connect(url, "tributary-topology", settings, deadline));
  return apply(connection.get(), origin, schema, deadline);
}

}  // namespace tributary::postgres

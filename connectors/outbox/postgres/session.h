/// Opening a connection by URL, and statements one at a time. Not for: the relay's hot path (see
/// pipeline.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <tributary/base/result.h>

#include "base/clock.h"
#include "connectors/outbox/postgres/errors.h"

namespace tributary::postgres {

/// What the statements of the outbox depend on, whatever the role, the database or the environment
/// says; config/server_options.cc refuses others in a URL. Of a session of our own, for
/// connect(): a pooler may not take them.
inline constexpr std::string_view kNeededSettings =
    "-c standard_conforming_strings=on -c bytea_output=hex -c array_nulls=on "
    "-c transform_null_equals=off -c row_security=on "
    "-c default_transaction_isolation=read\\ committed";

struct FinishConnection {
  void operator()(PGconn* connection) const;
};
using ConnectionHandle = std::unique_ptr<PGconn, FinishConnection>;

/// `application` is what pg_stat_activity shows; `settings` are libpq options, "-c name=value …",
/// added to those in the URL. No message ever shows the URL, which may hold a password. kInvalid
/// for a URL that cannot be read, kFatal for a database or role that is missing, else kTransient.
[[nodiscard]] Result<ConnectionHandle> connect(const std::string& url, std::string_view application,
                                               std::string_view settings, Millis deadline);

/// Runs one statement, or several separated by semicolons, whose last result is returned.
[[nodiscard]] Result<ResultHandle> run(PGconn* connection, const std::string& sql);

}  // namespace tributary::postgres

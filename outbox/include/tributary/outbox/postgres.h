/// The outbox of a service that uses libpq. Link Tributary::postgres.
#pragma once

#include <memory>

#include <tributary/outbox/transaction.h>

extern "C" {
typedef struct pg_conn PGconn;
}

namespace tributary::postgres {

/// Reads the schema stored in the database. `connection` is borrowed, must outlive the outbox and
/// need not have an open transaction yet. kInvalid when `tributary topology apply` has not run
/// against this database; kTransient when the connection is broken.
[[nodiscard]] Result<std::unique_ptr<OutboxConnection>> open_outbox(PGconn* connection);

}  // namespace tributary::postgres

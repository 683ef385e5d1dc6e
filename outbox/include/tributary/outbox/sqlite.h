/// The outbox of a service that embeds SQLite. Link Tributary::sqlite.
///
/// Begin with BEGIN IMMEDIATE: a transaction that reads first fails at its first write when anybody
/// has written in between (docs/sql.md). Who commits by itself after Transaction::flush() runs
/// "UPDATE tributary_transaction SET number = number + 1" before, as docs/sql.md says.
#pragma once

#include <memory>

#include <tributary/outbox/transaction.h>

extern "C" {
typedef struct sqlite3 sqlite3;
}

namespace tributary::sqlite {

/// Reads the schema stored in the database. `connection` is borrowed, must outlive the outbox and
/// need not have an open transaction yet. kInvalid when `tributary topology apply` has not run
/// against this database, or its tables are of another version.
[[nodiscard]] Result<std::unique_ptr<OutboxConnection>> open_outbox(sqlite3* connection);

}  // namespace tributary::sqlite

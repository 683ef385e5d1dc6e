/// The outbox of a service that embeds SQLite. Link Tributary::sqlite.
#pragma once

#include <memory>

#include <tributary/outbox/transaction.h>

extern "C" {
typedef struct sqlite3 sqlite3;
}

namespace tributary::sqlite {

/// Reads the schema stored in the database. `connection` is borrowed, must outlive the outbox and
/// need not have an open transaction yet. kInvalid when `tributary topology apply` has not run
/// against this database.
[[nodiscard]] Result<std::unique_ptr<OutboxConnection>> open_outbox(sqlite3* connection);

}  // namespace tributary::sqlite

/// The rules that `topology apply` stored in the database, read back.
#pragma once

#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>

#include "connectors/outbox/sqlite/statement.h"

namespace tributary::sqlite {

/// kInvalid, with what to do, unless the outbox tables are of this program's version. Tables of
/// an older one are not converted.
[[nodiscard]] Result<void> check_version(sqlite3* connection);
/// Keyspaces and limits.
[[nodiscard]] Result<Schema> read_schema(sqlite3* connection);
[[nodiscard]] Result<std::vector<Keyspace>> read_keyspaces_ever(sqlite3* connection);

}  // namespace tributary::sqlite

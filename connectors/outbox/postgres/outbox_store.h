/// The outbox store on PostgreSQL 14 and later, and its schema. Link
/// Tributary::outbox_store_postgres.
#pragma once

#include <memory>
#include <string>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>

#include "base/clock.h"
#include "connectors/outbox/outbox_store.h"

namespace tributary::postgres {

/// Connects; `deadline` bounds that, and how long any later call may go without progress. A store
/// whose connection died answers kTransient for good: open a new one. kFatal for a missing
/// database, role, privilege or table, and behind a connection pooler.
[[nodiscard]] Result<std::unique_ptr<OutboxStore>> open_outbox_store(
    const std::string& url, const OriginName& origin, Millis deadline = Millis{10'000});

/// Creates or repairs tables and functions, and stores the origin's keyspaces and limits; safe to
/// repeat and to run while services write: it takes no lock when nothing changes, and else waits
/// for one only a moment at a time, until `deadline` (kTransient, naming who holds it). kInvalid
/// when the database belongs to another origin, has tables of another version, or another encoding
/// than UTF8 or SQL_ASCII. Does not create the database itself.
[[nodiscard]] Result<void> apply_schema(const std::string& url, const OriginName& origin,
                                        const Schema& schema, Millis deadline = Millis{30'000});

}  // namespace tributary::postgres

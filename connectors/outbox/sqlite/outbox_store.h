/// The outbox store on SQLite, and its schema. Link Tributary::outbox_store_sqlite.
#pragma once

#include <memory>
#include <string>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>

#include "base/clock.h"
#include "connectors/outbox/outbox_store.h"

namespace tributary::sqlite {

/// Opens the file; `busy` is how long a call waits for another writer. kFatal when the file is
/// missing or is no database.
[[nodiscard]] Result<std::unique_ptr<OutboxStore>> open_outbox_store(const std::string& url,
                                                                     const OriginName& origin,
                                                                     Millis busy = Millis{5000});

/// Creates the file, its tables and triggers, switches it to write-ahead logging and stores the
/// origin's keyspaces and limits; safe to repeat, and writes nothing when nothing changes. kInvalid
/// when the database belongs to another origin or has tables of another version.
[[nodiscard]] Result<void> apply_schema(const std::string& url, const OriginName& origin,
                                        const Schema& schema, Millis busy = Millis{5000});

}  // namespace tributary::sqlite

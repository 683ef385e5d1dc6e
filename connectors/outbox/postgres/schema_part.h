/// The schema in parts, so that a change of rules locks no table: each with a mark in the database
/// of what was run, and of what it left there. Not for: when to run them (apply_schema.cc).
#pragma once

#include <string>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>

#include "connectors/outbox/postgres/errors.h"

namespace tributary::postgres {

struct SchemaPart {
  std::string name;
  std::string script;   ///< safe to repeat
  std::string objects;  ///< a query: one text that changes with what is there
};

/// In the order in which they are run: tables, functions and rules, the trigger.
[[nodiscard]] std::vector<SchemaPart> schema_parts(const OriginName& origin, const Schema& schema);

/// True when the part was run as it is, and everything it made is still there as it made it.
[[nodiscard]] Result<bool> up_to_date(PGconn* connection, const SchemaPart& part);
/// Runs the part and leaves its mark, within the open transaction. Locks the origin's row before
/// any table, in the order of the relay's seals.
[[nodiscard]] Result<void> run_part(PGconn* connection, const SchemaPart& part);

/// ": held by pid 7 (shop, since …): …", the sessions that use the outbox tables now; empty when
/// nobody does.
[[nodiscard]] std::string lock_holders(PGconn* connection);

}  // namespace tributary::postgres

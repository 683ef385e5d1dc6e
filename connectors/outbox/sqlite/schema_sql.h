/// The SQL that makes an outbox in SQLite: tables, and triggers that check plain INSERTs and fill
/// in what those leave out. Not for: running it (see apply_schema in outbox_store.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tributary/crdt/schema.h>

namespace tributary::sqlite {

/// Raised when tables or triggers change shape; a database of another version is refused.
inline constexpr std::int64_t kSchemaVersion = 7;

/// Tables and indexes; safe to repeat.
[[nodiscard]] std::string_view tables_sql();
/// Drops the triggers and makes them again.
[[nodiscard]] std::string triggers_sql();
/// Rows of tributary_operation, tributary_keyspace and tributary_limits.
[[nodiscard]] std::string rules_sql(const Schema& schema);

[[nodiscard]] std::string quote(std::string_view text);
/// `*` and `?` of a keyspace as GLOB, where a `?` is one character.
[[nodiscard]] std::string glob_of(std::string_view pattern);

}  // namespace tributary::sqlite

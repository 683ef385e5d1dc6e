/// The SQL that makes an outbox: tables, the trigger that checks plain INSERTs, and one function
/// per CRDT operation, generated from the type registry. Not for: running it (apply_schema.h).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <tributary/crdt/schema.h>

namespace tributary::postgres {

/// Raised when tables or functions change shape; a database of a newer version is refused.
inline constexpr std::int64_t kSchemaVersion = 8;

/// Tables and indexes; safe to repeat.
[[nodiscard]] std::string_view tables_sql();
/// What a write runs through: the clock, the limits, insert_changes(); safe to repeat.
[[nodiscard]] std::string writing_sql();
/// What checks a row of plain SQL; safe to repeat.
[[nodiscard]] std::string checking_sql();
/// Attaches the check to tributary_outbox; safe to repeat.
[[nodiscard]] std::string_view trigger_sql();
/// The tables that a restore replaces, without their prefix.
inline constexpr std::array<std::string_view, 8> kRestoredTables{
    "actor", "batch", "context", "counter", "origin", "outbox", "parked", "told_context"};
/// What notices that tables are put back one by one; safe to repeat.
[[nodiscard]] std::string_view put_back_sql();
/// Attaches it to the tables; safe to repeat.
[[nodiscard]] std::string put_back_triggers_sql();
/// tributary.fence(), which the relay's transactions begin with; safe to repeat.
[[nodiscard]] std::string_view fence_sql();
/// Rows of tributary_operation, and tributary.<type>_<operation> for every registered operation.
[[nodiscard]] std::string operations_sql();
/// Rows of tributary_keyspace and tributary_limits.
[[nodiscard]] std::string rules_sql(const Schema& schema);

/// As a literal, whatever standard_conforming_strings says.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace tributary::postgres

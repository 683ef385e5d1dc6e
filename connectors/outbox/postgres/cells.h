/// Reading the binary cells of a result.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tributary/base/ids.h>

#include "connectors/outbox/postgres/errors.h"

namespace tributary::postgres {

/// NULL reads as empty.
[[nodiscard]] std::string_view bytes_at(const PGresult* result, int row, int column);
/// NULL reads as 0.
[[nodiscard]] std::int64_t bigint_at(const PGresult* result, int row, int column);
[[nodiscard]] std::uint64_t unsigned_at(const PGresult* result, int row, int column);
[[nodiscard]] bool bool_at(const PGresult* result, int row, int column);
[[nodiscard]] std::string text_at(const PGresult* result, int row, int column);
[[nodiscard]] std::optional<ActorId> actor_at(const PGresult* result, int row, int column);
[[nodiscard]] bool null_at(const PGresult* result, int row, int column);
/// Of a column that is NOT NULL: does not look.
[[nodiscard]] std::int64_t not_null_bigint_at(const PGresult* result, int row, int column);
/// From a numeric cell (numeric_send() in PostgreSQL's numeric.c), when it is a 64-bit integer.
[[nodiscard]] std::optional<std::int64_t> read_integer(std::string_view numeric);
/// A numeric cell as text, the first digits.
[[nodiscard]] std::string numeric_text(std::string_view numeric);
/// Rows that an INSERT, UPDATE or DELETE concerned.
[[nodiscard]] std::uint64_t affected(const PGresult* result);

}  // namespace tributary::postgres

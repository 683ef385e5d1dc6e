/// libpq's errors in our words, by SQLSTATE.
#pragma once

#include <memory>
#include <string_view>

#include <tributary/base/result.h>

extern "C" {
typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;
}

namespace tributary::postgres {

struct ClearResult {
  void operator()(PGresult* result) const;
};
using ResultHandle = std::unique_ptr<PGresult, ClearResult>;

/// SQLSTATE that the functions of schema tributary raise.
inline constexpr std::string_view kNotLeader = "TB001";
/// What they refuse is the caller's to mend.
inline constexpr std::string_view kRefused = "22023";

[[nodiscard]] ErrorKind kind_of(std::string_view sqlstate);
/// Why `result` is no success; `connection` tells whether the link is dead.
[[nodiscard]] Error error_of(const PGresult* result, const PGconn* connection);
/// kTransient, naming what libpq says of a broken link.
[[nodiscard]] Error broken(const PGconn* connection);
/// Without the trailing line end, on one line.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace tributary::postgres

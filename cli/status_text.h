/// A status report as a table for people and as JSON for programs.
#pragma once

#include <string>

#include "cli/convergence.h"

namespace tributary::cli {

/// Fields are only ever added.
[[nodiscard]] std::string to_json(const StatusReport& report);
/// Ends with whether the system is converged and, if not, with the first reasons.
[[nodiscard]] std::string to_table(const StatusReport& report);

}  // namespace tributary::cli

/// Why a system is not converged, in sentences for people: what, where, and what to do about it.
#pragma once

#include <string>
#include <vector>

#include "cli/convergence.h"

namespace tributary::cli {

/// None: the system is converged. `lags` are those of facts.regions, in their order.
[[nodiscard]] std::vector<std::string> reasons_of(const SystemFacts& facts,
                                                  const ActorTargets& targets,
                                                  const std::vector<std::vector<Lag>>& lags);

/// What is no reason, but should be looked at.
[[nodiscard]] std::vector<std::string> warnings_of(const SystemFacts& facts,
                                                   const std::vector<std::vector<Lag>>& lags);

}  // namespace tributary::cli

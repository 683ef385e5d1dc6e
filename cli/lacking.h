/// Which changes which region lacks, and how they come there: sentences for people. Part of
/// reasons.h.
#pragma once

#include <string>
#include <vector>

#include "cli/convergence.h"

namespace tributary::cli {

/// How `wanting` gets what `holder` has and its streams have no more.
[[nodiscard]] std::string by_copy(const RegionFacts& wanting, const RegionFacts& holder);

/// `lags` are those of facts.regions, in their order. No sentence advises what would lose changes:
/// a region's Redis is to be copied only over one that holds nothing more.
[[nodiscard]] std::vector<std::string> lacking_of(const SystemFacts& facts,
                                                  const ActorTargets& targets,
                                                  const std::vector<std::vector<Lag>>& lags);

}  // namespace tributary::cli

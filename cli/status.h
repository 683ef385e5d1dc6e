/// Asks all databases, streams and replicas of a topology how far they are.
#pragma once

#include <map>
#include <string>

#include "cli/convergence.h"
#include "cli/inquiry.h"
#include "cli/wiring.h"

namespace tributary::cli {

struct StreamFacts {
  std::string problem;           ///< why it cannot be read; empty: it can
  std::optional<StreamEnd> end;  ///< absent: it is empty, or what stands there says nothing
};

/// Keeps its connections between calls, for --watch and --wait.
class StatusGatherer {
 public:
  explicit StatusGatherer(const config::Topology& topology);
  /// Asks all at the same time. One that has not answered within `limit` was not reached.
  [[nodiscard]] StatusReport gather(Millis limit);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Origin {
    Inquiry<OriginFacts> outbox;  ///< all but the stream's; of a retired one never asked
    Inquiry<StreamFacts> stream;
  };

  void ask_all(Millis limit);
  [[nodiscard]] OriginFacts origin(const config::Origin& origin, TimePoint until, Millis limit);
  [[nodiscard]] RegionFacts region(const config::Region& region, TimePoint until, Millis limit);

  const config::Topology& topology_;
  std::map<OriginName, Origin> origins_;
  std::map<RegionName, Inquiry<RegionFacts>> regions_;
};

}  // namespace tributary::cli

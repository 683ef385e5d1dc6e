/// `tributary parked`: looking at and deciding about what was set aside, at origins by their relays
/// and in regions by their consumers.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/result.h>

#include "cli/wiring.h"
#include "config/topology.h"

namespace tributary::cli {

struct ParkedOptions {
  std::string config;
  std::string region;
  std::string origin;
  std::string key;
  std::string after;             ///< where a list goes on
  std::vector<std::string> ids;  ///< of a region: entries; of an origin: transactions
  std::size_t limit = 100;
  bool json = false;
  bool in_doubt = false;  ///< those that a restore left in doubt
  bool yes = false;
};

// The subcommands; the value is the exit code.
[[nodiscard]] Result<int> list_parked(const config::Topology& topology,
                                      const ParkedOptions& options);
[[nodiscard]] Result<int> show_parked(const config::Topology& topology,
                                      const ParkedOptions& options);
[[nodiscard]] Result<int> retry_parked(const config::Topology& topology,
                                       const ParkedOptions& options);
[[nodiscard]] Result<int> discard_parked(const config::Topology& topology,
                                         const ParkedOptions& options);

/// The region or the origin that the options name; one of the two is set. When they name none, ids
/// tell which kind it is, and the only one of that kind is meant.
struct Side {
  const config::Region* region = nullptr;
  const config::Origin* origin = nullptr;
};
[[nodiscard]] Result<Side> side_of(const config::Topology& topology, const ParkedOptions& options);

/// Pages through what is parked behind `after`; stops when `take` returns false. Never more than a
/// page is in memory. What is parked meanwhile may be met or not.
[[nodiscard]] Result<void> each_parked(ReplicaStore& store, std::string after,
                                       const std::function<bool(const ParkedEntry&)>& take);
[[nodiscard]] Result<void> each_parked(OutboxStore& store, std::int64_t after,
                                       const std::function<bool(const ParkedChange&)>& take);

/// The entries with these ids, as they are or as they were printed; kInvalid names one that is not
/// there.
[[nodiscard]] Result<std::vector<ParkedEntry>> find_parked(ReplicaStore& store,
                                                           const std::vector<std::string>& ids);
/// A transaction's number; kInvalid for what is none.
[[nodiscard]] Result<std::int64_t> transaction_of(const std::string& id);

}  // namespace tributary::cli

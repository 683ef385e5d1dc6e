/// How far every region is with every origin: gathered from all databases and replicas.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tributary/cli/wiring.h>
#include <tributary/connectors/outbox_store.h>

namespace tributary::cli {

struct OriginReport {
  std::string name;
  std::string region;
  std::optional<OutboxStatus> outbox;  ///< absent: not reached
  std::string problem;
};

/// One region's progress with one origin.
struct LagReport {
  std::string origin;
  std::uint64_t applied_seq = 0;
  std::optional<std::uint64_t> lag_changes;  ///< sealed and not applied; absent: not known
  std::optional<double> lag_seconds;
};

struct RegionReport {
  std::string name;
  bool reached = false;
  std::uint64_t parked = 0;
  std::vector<LagReport> lags;
  std::string problem;
};

struct StatusReport {
  std::vector<OriginReport> origins;
  std::vector<RegionReport> regions;
  /// Everything was reached, no change waits or is parked anywhere, and all regions hold all of
  /// them.
  bool converged = false;
  bool all_reached = true;
};

/// Keeps its connections between calls, for --watch.
class StatusGatherer {
 public:
  explicit StatusGatherer(const config::Topology& topology) : topology_(topology) {}
  [[nodiscard]] StatusReport gather();

 private:
  [[nodiscard]] OriginReport origin(const config::Origin& origin);
  [[nodiscard]] RegionReport region(const config::Region& region, const StatusReport& so_far);

  const config::Topology& topology_;
  std::map<std::string, std::unique_ptr<OutboxStore>> stores_;
  std::map<std::string, std::unique_ptr<ReplicaStore>> replicas_;
};

[[nodiscard]] std::string to_json(const StatusReport& report);
[[nodiscard]] std::string to_table(const StatusReport& report);

}  // namespace tributary::cli

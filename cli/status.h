/// Asks all databases, streams and replicas of a topology how far they are.
#pragma once

#include <map>
#include <memory>
#include <string>

#include <tributary/cli/convergence.h>
#include <tributary/cli/wiring.h>

namespace tributary::cli {

/// Keeps its connections between calls, for --watch and --wait.
class StatusGatherer {
 public:
  explicit StatusGatherer(const config::Topology& topology) : topology_(topology) {}
  [[nodiscard]] StatusReport gather();

 private:
  /// A replica, and what it said about its server when it was opened.
  struct Replica {
    std::unique_ptr<ReplicaStore> store;
    std::vector<std::string> warnings;
  };

  [[nodiscard]] OriginFacts origin(const config::Origin& origin);
  [[nodiscard]] std::string stream_problem(const config::Origin& origin);
  [[nodiscard]] RegionFacts region(const config::Region& region);
  [[nodiscard]] Result<void> ask_outbox(const config::Origin& origin, OriginFacts& facts);
  [[nodiscard]] Result<void> ask_replica(const config::Region& region, RegionFacts& facts);

  const config::Topology& topology_;
  std::map<std::string, std::unique_ptr<OutboxStore>> stores_;
  std::map<std::string, std::unique_ptr<Changelog>> changelogs_;
  std::map<std::string, Replica> replicas_;
};

}  // namespace tributary::cli

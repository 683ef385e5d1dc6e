/// A whole deployment in memory, run from one seed: services that commit and roll back, relays and
/// consumers that crash anywhere, links that break, brokers that repeat and delay, replicas that
/// are rolled back. A crash loses everything that was not committed to a disk. In the end
/// everything heals, and every region must hold exactly what was committed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "history.h"
#include "nodes.h"
#include "virtual_clock.h"

namespace tributary::simulation {

class World {
 public:
  World(std::uint64_t seed, bool trace);

  /// Runs the storm and the healing. Nullopt, or what is wrong.
  [[nodiscard]] std::optional<std::string> run();

 private:
  void build();
  void start_relays();
  void start_consumers();
  void act();
  void write();
  void step_something();
  void disturb();
  void disturb_link();
  void disturb_replica();
  void crash_something();
  void heal();
  bool settle();
  [[nodiscard]] bool converged();
  /// Who waits for what, for a message.
  [[nodiscard]] std::string lag();
  [[nodiscard]] std::optional<std::string> check_halves();
  [[nodiscard]] std::optional<std::string> check_end();
  [[nodiscard]] std::optional<std::string> check_region(std::size_t index);
  [[nodiscard]] std::optional<std::string> check_changelogs();

  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  [[nodiscard]] bool chance(double probability);
  [[nodiscard]] Change random_change();
  void trace(const std::string& line);
  void note(const Result<void>& done);

  std::mt19937_64 random_;
  bool trace_;
  VirtualClock clock_;
  Schema schema_;
  RelaySettings relay_settings_;
  ConsumerSettings consumer_settings_;
  std::vector<std::unique_ptr<Region>> regions_;
  std::vector<Origin> origins_;
  std::vector<std::unique_ptr<RelayNode>> relays_;
  std::vector<std::unique_ptr<ConsumerNode>> consumers_;
  std::vector<std::size_t> relay_origin_;  ///< relays_[i] relays origins_[relay_origin_[i]]
  std::vector<std::size_t> consumer_region_;
  std::vector<std::vector<MemoryReplica::Snapshot>> snapshots_;
  History history_;
  double fault_ = 0;  ///< probability that a call on a disk fails
  std::optional<std::string> failure_;
};

}  // namespace tributary::simulation

/// A whole deployment in memory, run from one seed: services that commit and roll back, relays and
/// consumers that crash anywhere, links that break, brokers that repeat and delay, databases and
/// replicas that are put back, other programs that meddle. A crash loses everything that was not
/// committed to a disk. In the end everything heals that can, and every region must hold exactly
/// what was published, or say that it does not.
///
/// build.cc puts it up · services.cc writes · disturb_links.cc, disturb_replicas.cc, overtake.cc,
/// disturb_databases.cc and forge.cc make trouble · operator.cc mends · settle.cc and checks.cc are
/// the end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/history.h"
#include "tests/simulation/nodes.h"
#include "tests/simulation/traits.h"
#include "tests/simulation/witness.h"

namespace tributary::simulation {

class World {
 public:
  World(std::uint64_t seed, bool trace);

  /// Runs the storm and the healing. Nullopt, or what is wrong.
  [[nodiscard]] std::optional<std::string> run();
  [[nodiscard]] std::string traits() const { return traits_.names(); }

 private:
  template <typename Node>
  struct Slot {
    std::string client;
    std::size_t place = 0;  ///< its origin, or its region
    std::unique_ptr<NodeClock> clock;
    std::unique_ptr<Node> node;
  };

  // build.cc
  void build();
  void choose_settings();
  /// Fewer regions, or origins, would make a trait idle.
  [[nodiscard]] std::size_t least() const { return traits_.slow_links ? 2 : 1; }
  void build_regions();
  void build_origins();
  void slow_link();
  void start_relay(Slot<RelayNode>& slot);
  void start_consumer(Slot<ConsumerNode>& slot);
  [[nodiscard]] std::unique_ptr<NodeClock> new_clock();
  [[nodiscard]] Micros random_skew();

  // world.cc
  void act();
  void step_something();
  void crash_something();
  void jump_clock();
  void step_back_consumer();

  // services.cc
  void write();
  void write(Origin& origin, const std::optional<Change>& only);
  [[nodiscard]] std::vector<Change> random_changes(Origin& origin);
  [[nodiscard]] Change random_change(Origin& origin);
  [[nodiscard]] std::optional<Change> rare_change(Origin& origin);
  [[nodiscard]] Change contested_change();
  [[nodiscard]] std::optional<VersionVector> random_context(Origin& origin, const std::string& key);

  // disturb_*.cc, forge.cc
  void disturb();
  void disturb_link();
  void disturb_replica();
  void watch_deferring(Region& region);
  void block_awaiting(Region& region, const std::string& key);
  void step_appliers(Region& region);
  void step_consumers(Region& region, std::optional<std::size_t> late = std::nullopt);
  void roll_back_awake(Region& region);
  void end_storm();

  // overtake.cc
  void overtake();
  [[nodiscard]] bool overtaken(Region& region, std::size_t late, Origin& remover);
  void publish(const Origin& origin);
  [[nodiscard]] std::optional<std::string> known_key(Region& region);
  void tamper();
  void block(Region& region, const std::string& key);
  void disturb_database();
  void restore(Origin& origin);
  void stick(Origin& origin, std::size_t count);
  [[nodiscard]] std::size_t published_alone(const Origin& origin) const;
  void disturb_keyspaces();
  void widen(Origin& origin);
  void lose_log();
  void release_stuck(Origin& origin);
  void forge();
  void forge_batch(Origin& origin);
  void forge_own(Origin& origin);
  void break_for_good();
  void roll_out();

  // operator.cc
  void retry_somewhere();
  void decide_parked(Origin& origin);
  void discard(Origin& origin, std::int64_t transaction, const std::set<std::size_t>& numbers);
  void mend_views();
  void mend();
  void discard_forgeries();

  // settle.cc
  void heal();
  bool settle();
  void step_all();
  [[nodiscard]] bool outboxes_empty();
  /// Everything that moves while the deployment is not yet at rest.
  [[nodiscard]] std::string position();
  /// Who waits for what, for a message.
  [[nodiscard]] std::string lag();

  // checks.cc
  [[nodiscard]] std::optional<std::string> check_halves();
  [[nodiscard]] bool applied_somewhere(ActorId actor);
  [[nodiscard]] std::optional<std::string> check_end();
  [[nodiscard]] std::optional<std::string> check_lacking(const Region& region,
                                                         const ReplicaProgress& progress);
  [[nodiscard]] std::optional<std::string> check_parked(Region& region, bool& whole);
  [[nodiscard]] std::optional<std::string> check_regions();
  [[nodiscard]] std::optional<std::string> check_batch_tables();

  void trace(const std::string& line);
  void note(const Result<void>& done, bool may_be_refused);
  [[nodiscard]] Origin& some_origin() { return origins_[dice_.below(origins_.size())]; }
  [[nodiscard]] Region& some_region() { return *regions_[dice_.below(regions_.size())]; }

  Dice dice_;
  bool trace_;
  Traits traits_;
  VirtualClock clock_;
  Schema old_schema_;
  Schema schema_;  ///< with the keyspace that a roll-out adds
  RelaySettings relay_settings_;
  ConsumerSettings old_consumer_settings_;
  ConsumerSettings consumer_settings_;
  History history_;
  Witness witness_{history_};
  std::vector<std::unique_ptr<Region>> regions_;
  std::vector<Origin> origins_;
  std::vector<Slot<RelayNode>> relays_;
  std::vector<Slot<ConsumerNode>> consumers_;
  std::vector<std::string> rare_;  ///< keys that are written once or twice
  std::set<std::string> touched_;  ///< keys that other programs touched
  std::string contested_;          ///< a key whose changes are parked somewhere
  bool rolled_out_ = false;
  double fault_ = 0;  ///< probability that a call on a disk fails
  std::optional<std::string> failure_;
};

}  // namespace tributary::simulation

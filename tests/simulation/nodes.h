/// The processes of a simulated deployment: the real relay and the real consumer, stepped by hand.
/// A crash drops the object; what it had not committed to a "disk" is gone.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "connectors/changelog/memory/changelog.h"
#include "connectors/outbox/memory/outbox_store.h"
#include "connectors/replica/memory/replica_store.h"
#include "consumer/applier.h"
#include "consumer/origin_reader.h"
#include "consumer/rebuilder.h"
#include "relay/origin_relay.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/virtual_clock.h"

namespace prometheus {
class Counter;
}

namespace tributary::simulation {

/// A region's disks.
struct Region {
  memory::MemoryBroker broker;
  MemoryReplica replica;
  bool away = false;                ///< the replica answers nobody
  bool torn = false;                ///< a commit has stopped half-way, and readers may see it
  bool halved = false;              ///< a commit has ever stopped half-way
  bool refused = false;             ///< an actor that did not name the one it goes by was refused
  bool blocked = false;             ///< other programs' views stand in the way of keys
  std::optional<std::size_t> late;  ///< the origin whose log comes late
  std::vector<MemoryReplica::Snapshot> snapshots;
  MemoryReplica::Snapshot deferring;  ///< of a moment when removes waited for what they had seen
};

/// A backup of an origin's database, and which transactions it holds.
struct Backup {
  memory::OutboxBackup disk;
  std::set<std::size_t> held;
  Schema schema;
  bool narrow = false;
};

/// An origin's disk, and where it lives.
struct Origin {
  OriginName name;
  Region* region = nullptr;
  std::unique_ptr<NodeClock> clock;
  Schema schema;  ///< as applied
  std::unique_ptr<memory::MemoryOutbox> outbox;
  std::vector<Backup> backups;
  std::vector<std::string> stuck;  ///< batches of a former relay that its socket still holds
  bool stuck_unnoticed = false;    ///< … and its own: it goes on, and they end with it
  bool broken = false;             ///< for good: its stream, or its database
  bool dropped = false;            ///< its database is gone
  bool restored = false;           ///< its database forgot what it had done
  bool narrow = false;             ///< its database lacks keyspaces of `schema`
};

class RelayNode {
 public:
  struct Place {
    Origin* origin = nullptr;
    const std::vector<std::unique_ptr<Region>>* regions = nullptr;
    const RelaySettings* settings = nullptr;
  };
  RelayNode(std::string client, const Place& place, Clock& clock, Dice& dice);

  Result<void> step() {
    return relay_.step().map([](Millis) {});
  }
  /// What its other thread does: copies the region's context.
  void feed();
  [[nodiscard]] const std::string& client() const { return client_; }
  [[nodiscard]] const Origin& origin() const { return *place_.origin; }
  /// Batches that it has published and not seen confirmed.
  [[nodiscard]] std::size_t published() const {
    return relay_.leading() ? relay_.unconfirmed() : 0;
  }

 private:
  [[nodiscard]] ReplicaAnswers ask() const;

  std::string client_;
  Place place_;
  Dice& dice_;
  Metrics metrics_;
  std::optional<ReplicaContext> context_;
  std::unique_ptr<Changelog> changelog_;
  OriginRelay relay_;
};

class ConsumerNode {
 public:
  ConsumerNode(const std::string& client, Region& region, std::vector<Origin>& origins,
               const ConsumerSettings& settings, Clock& clock);
  /// One of the readers, the applier, or the rebuilder behind the last of them.
  Result<void> step(std::size_t part);
  [[nodiscard]] std::size_t parts() const { return readers_.size() + 2; }
  [[nodiscard]] const std::string& client() const { return client_; }
  [[nodiscard]] const Region& region() const { return region_; }
  /// What it was given to read so far, but for origins that are stopped at a gap: two consumers of
  /// a region have each other read that again.
  [[nodiscard]] double read() const;
  /// It says that it is stopped at a gap of the origin, or lags behind it.
  [[nodiscard]] bool behind(const OriginName& origin) const;

 private:
  std::string client_;
  Region& region_;
  Clock& clock_;
  Metrics metrics_;
  std::vector<std::unique_ptr<Changelog>> changelogs_;
  ReadAhead read_ahead_;
  std::vector<std::unique_ptr<OriginReader>> readers_;
  Applier applier_;
  std::vector<std::pair<OriginName, const prometheus::Counter*>> read_bytes_;
  std::unique_ptr<Rebuilder> rebuilder_;
  Micros rebuild_at_{0};
};

}  // namespace tributary::simulation

/// The processes of a simulated deployment: the real relay and the real consumer, stepped by hand.
/// A crash drops the object; what it had not committed to a "disk" is gone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <tributary/connectors/memory/changelog.h>
#include <tributary/connectors/memory/outbox_store.h>
#include <tributary/connectors/memory/replica_store.h>
#include <tributary/consumer/applier.h>
#include <tributary/consumer/origin_reader.h>
#include <tributary/relay/origin_relay.h>

namespace tributary::simulation {

/// A region's disks.
struct Region {
  memory::MemoryBroker broker;
  MemoryReplica replica;
};

/// An origin's disk, and where it lives.
struct Origin {
  OriginName name;
  Region* region = nullptr;
  std::unique_ptr<memory::MemoryOutbox> outbox;
};

class RelayNode {
 public:
  RelayNode(std::string client, Origin& origin, const Schema& schema, const RelaySettings& settings,
            Clock& clock, std::function<std::uint64_t()> random);
  Result<void> step() {
    return relay_.step().map([](Millis) {});
  }
  [[nodiscard]] const std::string& client() const { return client_; }

 private:
  std::string client_;
  Metrics metrics_;
  std::unique_ptr<Changelog> changelog_;
  OriginRelay relay_;
};

class ConsumerNode {
 public:
  ConsumerNode(const std::string& client, Region& region, std::vector<Origin>& origins,
               const ConsumerSettings& settings, Clock& clock);
  /// One of the readers, or the applier behind the last of them.
  Result<void> step(std::size_t part);
  [[nodiscard]] std::size_t parts() const { return readers_.size() + 1; }
  [[nodiscard]] const std::string& client() const { return client_; }

 private:
  std::string client_;
  Metrics metrics_;
  std::vector<std::unique_ptr<Changelog>> changelogs_;
  Inbox inbox_;
  std::vector<std::unique_ptr<OriginReader>> readers_;
  Applier applier_;
};

}  // namespace tributary::simulation

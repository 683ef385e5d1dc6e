/// A replica in memory, for the simulation and for tests of the consumer. What the sessions share
/// is the "disk", which can be rolled back, flushed, tampered with and compared. Not for: data that
/// should survive the process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tributary/connectors/replica_store.h>

namespace tributary {

struct ReplicaDisk;

/// Thread-safe; each session is for one thread at a time. Sessions may outlive it.
class MemoryReplica {
 public:
  enum class Call {
    kOpen,
    kProgress,
    kLoad,
    kCommit,
    kForeignViews,
    kDeferringKeys,
    kRead,
    kParked
  };
  /// kBefore: the call fails and nothing has happened. kAfter: it has happened, but the caller gets
  /// a transient error all the same. The session is dead after either.
  enum class Fault { kNone, kBefore, kAfter };
  /// Asked at every call, one at a time; must not call the replica.
  using FaultHook = std::function<Fault(Call)>;
  using Snapshot = std::shared_ptr<const ReplicaDisk>;

  /// `seed` makes the versions repeatable. They go on after a roll-back, and never come back.
  explicit MemoryReplica(std::uint64_t seed = 1);
  ~MemoryReplica();
  MemoryReplica(const MemoryReplica&) = delete;
  MemoryReplica& operator=(const MemoryReplica&) = delete;

  [[nodiscard]] Result<std::unique_ptr<ReplicaStore>> open();
  void set_fault_hook(FaultHook hook);

  [[nodiscard]] Snapshot snapshot() const;
  /// What a failover or an old backup does. Sessions stay open, as those of a real server might.
  void restore(const Snapshot& snapshot);
  /// FLUSHALL.
  void flush();
  /// Another program makes, or replaces, a view with one member (or value) of its own.
  void tamper(std::string_view key, crdt::ViewKind kind, std::string_view member);

  /// All states and views in canonical order, one line each, without versions, progress and parked
  /// changes: replicas with equal watermarks have equal dumps.
  [[nodiscard]] std::string dump() const;
  /// Fields asked for by load() so far.
  [[nodiscard]] std::uint64_t fields_loaded() const;

  struct Shared;

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace tributary

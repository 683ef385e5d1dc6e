/// A replica in memory, for the simulation and for tests of the consumer. What the sessions share
/// is the "disk", which can be rolled back, flushed, tampered with and compared. Not for: data that
/// should survive the process.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/replica/replica_store.h"

namespace tributary {

struct ReplicaDisk;

/// Thread-safe; each session is for one thread at a time. Sessions may outlive it.
class MemoryReplica {
 public:
  enum class Call {
    kOpen,
    kProgress,
    kToken,
    kContext,
    kLoad,
    kCommit,
    kChangedViews,
    kDeferringKeys,
    kRead,
    kParked,
    kWalk,
    kView,
    kClaim,
    kWarnings
  };
  /// kBefore: the call fails and nothing has happened. kAfter: it has happened, but the caller gets
  /// a transient error all the same. kHalfway: of a commit; half of it has happened, as when a
  /// server refuses a command in its midst. The session is dead after any.
  enum class Fault { kNone, kBefore, kAfter, kHalfway };
  /// What another program, or a disk, does to a key's state. kBytes, kType (it claims to be of
  /// another type): of a state that is there.
  enum class Damage { kStray, kNoVersion, kBytes, kType };
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
  /// The consumer has ended long ago.
  void forget_consumer();
  /// FLUSHALL.
  void flush();
  /// Another program makes, or replaces, a view with one member (or value) of its own.
  void tamper(std::string_view key, crdt::ViewKind kind, std::string_view member);

  /// The users of stores may not touch these keys; none: they may touch all.
  void refuse(std::set<std::string, std::less<>> keys);

  /// A view expires, or another program deletes it.
  void drop_view(std::string_view key);
  void damage(std::string_view key, Damage how);
  /// Another program deletes a key's block, or the changes that are set aside for it.
  void drop_block(std::string_view key);
  void drop_parked(std::string_view key);
  /// Another program deletes what stands in the place of a key's state.
  void drop_state(std::string_view key);
  /// Somebody meddles with what the replica knows of the origins.
  void meddle(const std::function<void(ReplicaProgress&)>& with);

  /// All states and views in canonical order, one line each, without versions, progress and parked
  /// changes: replicas with equal watermarks have equal dumps.
  [[nodiscard]] std::string dump() const;
  /// Fields asked for by load() so far.
  [[nodiscard]] std::uint64_t fields_loaded() const;
  /// How much of what is set aside each call has read with its bytes, since this was asked last.
  [[nodiscard]] std::vector<std::size_t> take_bodies_read();

  struct Shared;

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace tributary

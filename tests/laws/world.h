/// A random walk: actors write at their home replicas, relays seal, replicas receive, crash, go
/// back to snapshots and merge each other's states. Per-actor order is respected, as a changelog
/// does; everything else may happen.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "tests/laws/history.h"
#include "tests/laws/law.h"
#include "tests/laws/replica.h"

namespace tributary::laws {

/// A delta is about to be joined into a replica.
struct Joining {
  const Replica& replica;
  const SealedDeltas& batch;
  const KeyDelta& delta;
};

/// One case's world. Not thread-safe.
class World {
 public:
  World(const crdt::Type& type, const Plan& plan, Story story);

  /// Called before each join, if given.
  std::function<void(const Joining&)> before_join;
  /// Called after each step, if given.
  std::function<void()> after_step;

  /// Takes all steps of the plan.
  void run();
  /// Seals everything and brings every replica up to it; after_step follows.
  void finish();
  void seal_everything();

  [[nodiscard]] const crdt::Type& type() const { return type_; }
  [[nodiscard]] const std::vector<Author>& authors() const { return authors_; }
  [[nodiscard]] const std::vector<Replica>& replicas() const { return replicas_; }
  /// A replica, now or at one of its snapshots.
  [[nodiscard]] const Replica& any_replica(Dice& dice) const;
  /// The watermark of everything written.
  [[nodiscard]] VersionVector everything() const;
  /// The changes to `key` that `watermark` covers.
  [[nodiscard]] std::vector<Event> visible(std::size_t key, const VersionVector& watermark) const;

 private:
  void step(Dice& dice);
  void write(Dice& dice);
  [[nodiscard]] VersionVector context_for(const Author& author, Dice& dice) const;
  void deliver(Dice& dice);
  void receive(std::size_t replica, const SealedDeltas& batch);
  void crash_within(std::size_t replica, const SealedDeltas& batch, Dice& dice);
  void merge_states(Dice& dice);
  void prune(Dice& dice);
  void roll_back(Dice& dice);
  void join_one(std::size_t replica, const SealedDeltas& batch, const KeyDelta& delta);

  const crdt::Type& type_;
  Plan plan_;
  Story story_;
  std::vector<Author> authors_;
  std::vector<Replica> replicas_;
  std::vector<std::vector<Replica>> snapshots_;
  std::uint64_t now_micros_ = 1'000'000;
};

}  // namespace tributary::laws

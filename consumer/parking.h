/// Setting aside what cannot be applied, within bounds: of a key only so many changes are kept with
/// their bytes, and so many in all; beyond that a key is only marked as incomplete, and has to be
/// rebuilt from the changelogs. Nothing is kept in memory per blocked key, but for what is needed
/// to tell large changes' bytes, and that is bounded.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <tributary/base/clock.h>
#include <tributary/base/result.h>
#include <tributary/connectors/replica_store.h>
#include <tributary/consumer/group.h>
#include <tributary/consumer/inbox.h>

namespace tributary {

struct ParkingBounds {
  std::uint64_t key_bodies = 1000;
  std::uint64_t key_bytes = std::uint64_t{4} << 20;
  std::uint64_t bodies = 100'000;
  std::size_t origin_messages = 1000;
  std::uint64_t origin_message_bytes = std::uint64_t{64} << 20;
};

/// Set aside beside its key, which goes on without it.
[[nodiscard]] bool stands_beside(const Parked& parked);
/// The type of the change; empty when that cannot be told.
[[nodiscard]] std::string parked_type(const Parked& parked);
/// What stands beside a key of `type` once it goes on without those of `parked`, all of the key's,
/// that are of other types: of each actor the newest.
[[nodiscard]] std::vector<Parked> put_beside(std::span<const Parked> parked, std::string_view type);

/// What a commit is to write to set things aside. The blocks' marks point into the group.
struct ParkingPlan {
  std::vector<Parked> parked;
  std::vector<BlockCommit> blocks;
};

/// One thread.
class Parking {
 public:
  explicit Parking(ParkingBounds bounds = {}) : bounds_(bounds) {}

  /// A message to set aside as it came.
  [[nodiscard]] static Parked message(const Received& received, std::string reason, Micros now);

  /// Adds to `plan` what the group sets aside.
  Result<void> set_aside(ReplicaStore& store, const Group& group, Micros now, ParkingPlan& plan);

  enum class Room {
    kFree,
    kKept,  ///< it is set aside already
    kFull,  ///< the origin has to stop
  };
  /// Whether another message of the origin may be set aside; when kFree it counts from then on.
  Result<Room> room_for(ReplicaStore& store, const Received& received);

  /// The plan was committed.
  void committed(const ParkingPlan& plan) { bodies_ += plan.parked.size(); }
  /// Asks how much is parked, at any rate once in a few seconds.
  Result<std::uint64_t> count(ReplicaStore& store);
  /// Forgets what it believes of the replica.
  void reset();

 private:
  struct Messages {
    std::map<std::uint64_t, std::uint64_t> bytes;  ///< by offset
    std::uint64_t all_bytes = 0;
  };
  struct KeyBytes {
    std::uint64_t bodies = 0;
    std::uint64_t bytes = 0;
  };
  Result<void> park_key(ReplicaStore& store, const AsideKey& key, Micros now, ParkingPlan& plan);
  Result<bool> fits(ReplicaStore& store, std::string_view key, const KeyBlock& block,
                    std::size_t planned, std::size_t bytes);
  Result<void> recall_messages(ReplicaStore& store, const OriginName& origin, Messages& messages);

  ParkingBounds bounds_;
  std::uint64_t bodies_ = 0;  ///< in all, as asked last, plus what came since
  std::map<OriginName, Messages> messages_;
  std::map<std::string, KeyBytes, std::less<>> bytes_;  ///< of the keys asked about lately
};

}  // namespace tributary

/// Setting aside what cannot be applied, within bounds: of a key only so many changes are kept with
/// their bytes, and so many, and so many bytes, in all; beyond that a key is only marked as
/// incomplete, and has to be rebuilt from the changelogs. Nothing is kept in memory per blocked
/// key, but for what is needed to tell large changes' bytes, and that is bounded.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tributary/base/result.h>

#include "base/clock.h"
#include "connectors/replica/replica_store.h"
#include "consumer/commit_group.h"
#include "consumer/read_ahead.h"

namespace tributary {

struct ParkingBounds {
  std::uint64_t key_bodies = 1000;
  std::uint64_t key_bytes = std::uint64_t{4} << 20;
  std::uint64_t bodies = 100'000;
  std::uint64_t bytes = std::uint64_t{256} << 20;        ///< of all changes, beside their keys, too
  std::uint64_t beside_bytes = std::uint64_t{64} << 10;  ///< of one beside its key
  std::size_t origin_messages = 1000;
  std::uint64_t origin_message_bytes = std::uint64_t{64} << 20;
};

/// Set aside beside its key, which goes on without it.
[[nodiscard]] bool stands_beside(const ParkedEntry& parked);
/// As stands_beside(), by the id alone.
[[nodiscard]] bool stands_beside(std::string_view id);
/// What stands beside its key is never joined, only looked at: of one with more than `bytes` the
/// content is left out, and its type and whose it is stay.
void keep_small(ParkedEntry& beside, std::uint64_t bytes);
/// The type of the change; empty when that cannot be told.
[[nodiscard]] std::string parked_type(const ParkedEntry& parked);
/// What stands beside a key of `type` once it goes on without those of `parked`, all of the key's,
/// that are of other types: of each actor the newest.
[[nodiscard]] std::vector<ParkedEntry> put_beside(std::span<const ParkedEntry> parked,
                                                  std::string_view type);

/// What a commit is to write to set things aside. The blocks' marks point into the group.
struct ParkingPlan {
  std::vector<ParkedEntry> parked;
  std::vector<BlockCommit> blocks;
  std::uint64_t bytes = 0;  ///< of the changes among `parked`

  void add(ParkedEntry change) {
    bytes += change.bytes.size();
    parked.push_back(std::move(change));
  }
};

/// One thread.
class Parking {
 public:
  explicit Parking(ParkingBounds bounds = {}) : bounds_(bounds) {}

  /// A message to set aside as it came.
  [[nodiscard]] static ParkedEntry message(const Arrival& received, std::string reason, Micros now);

  /// Adds to `plan` what the group sets aside.
  Result<void> set_aside(ReplicaStore& store, const CommitGroup& group, Micros now,
                         ParkingPlan& plan);

  enum class Room {
    kFree,
    kKept,  ///< it is set aside already
    kFull,  ///< the origin has to stop
  };
  /// Whether another message of the origin may be set aside; when kFree it counts from then on.
  Result<Room> room_for(ReplicaStore& store, const Arrival& received);

  /// The plan was committed.
  void committed(const ParkingPlan& plan);
  /// Asks how much is parked, at any rate once in a few seconds.
  Result<std::uint64_t> count(ReplicaStore& store);
  /// Something was set aside since it was asked last, or the replica was opened.
  [[nodiscard]] bool changed() { return std::exchange(changed_, false); }
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
                    const ParkingPlan& plan, std::size_t bytes);
  /// Bytes of the changes that are parked, and of those that the plan adds.
  Result<std::uint64_t> all_bytes(ReplicaStore& store, const ParkingPlan& plan);
  Result<void> recall_messages(ReplicaStore& store, const OriginName& origin, Messages& messages);

  ParkingBounds bounds_;
  bool changed_ = true;
  std::uint64_t bodies_ = 0;                ///< in all, as asked last, plus what came since
  std::optional<std::uint64_t> bytes_now_;  ///< as bodies_; absent: to be asked
  std::map<OriginName, Messages> messages_;
  std::map<std::string, KeyBytes, std::less<>> bytes_;  ///< of the keys asked about lately
};

}  // namespace tributary

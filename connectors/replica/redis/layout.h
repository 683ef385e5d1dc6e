/// How a replica is laid out in Redis; docs/replica-layout.md tells it to people.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/replica/replica_store.h"

namespace tributary::redis {

/// Keys of the replica as a whole, and their Redis types.
struct SharedKey {
  std::string_view name;
  std::string_view type;
};
inline constexpr SharedKey kToken{"tributary:token", "string"};
inline constexpr SharedKey kWatermark{"tributary:watermark", "hash"};
inline constexpr SharedKey kActors{"tributary:actors", "hash"};
inline constexpr SharedKey kProgress{"tributary:progress", "hash"};
inline constexpr SharedKey kHlc{"tributary:hlc", "string"};
inline constexpr SharedKey kDeferring{"tributary:deferring", "set"};
inline constexpr SharedKey kParked{"tributary:parked", "hash"};
inline constexpr SharedKey kParkedIds{"tributary:parked:ids", "zset"};
inline constexpr SharedKey kParkedKeys{"tributary:parked:keys", "zset"};
inline constexpr SharedKey kBlocked{"tributary:blocked", "hash"};
inline constexpr SharedKey kBlockedKeys{"tributary:blocked:keys", "zset"};
inline constexpr SharedKey kIncomplete{"tributary:blocked:incomplete", "set"};
inline constexpr SharedKey kLowest{"tributary:blocked:lowest", "hash"};
inline constexpr SharedKey kUnfinished{"tributary:unfinished", "string"};
inline constexpr SharedKey kDiscarded{"tributary:discarded", "hash"};
/// The region whose consumer writes here; it expires soon after the consumer has ended.
inline constexpr SharedKey kConsumer{"tributary:consumer", "string"};
/// In the order in which the commit script takes them.
inline constexpr std::array kSharedKeys{
    kToken,      kWatermark, kActors,      kProgress,   kHlc,    kDeferring,  kParked,   kParkedIds,
    kParkedKeys, kBlocked,   kBlockedKeys, kIncomplete, kLowest, kUnfinished, kDiscarded};

/// The state hash of a key. No two keys share one, and view and state share a hash slot wherever
/// Redis' rule of hash tags permits.
struct StateKey {
  std::string_view before;
  std::string_view key;
  std::string_view after;
  [[nodiscard]] std::string whole() const;
};
[[nodiscard]] StateKey state_key(std::string_view key);
/// The inverse; nullopt for a name that state_key() gives to no key.
[[nodiscard]] std::optional<std::string_view> key_of_state(std::string_view name);
/// For SCAN: matches all state hashes, and little else.
inline constexpr std::string_view kStatePattern = "tributary:[{:=]*";

/// Field of a state hash: "<type> <16 hex digits>[ deferring][ <members>]". The digits are random
/// at every commit, never a counter: a replica that was rolled back must not meet an equal version
/// again. The number of members that the view has, of views that have members.
inline constexpr std::string_view kVersionField = "version";
/// Stands before the name of a type's own field, so that none is ever "version".
inline constexpr std::string_view kFieldPrefix = ":";

struct Version {
  std::string_view type;
  bool deferring = false;  ///< the key is listed in tributary:deferring
  std::optional<std::uint64_t> members;
};
/// Without the number of members, which the script appends.
[[nodiscard]] std::string make_version(std::string_view type, std::uint64_t nonce, bool deferring);
[[nodiscard]] std::optional<Version> parse_version(std::string_view text);
/// Version::deferring, of a version that is known to be one.
[[nodiscard]] bool listed_by_version(std::string_view text);

/// "<actor hex> <offset> <head seq> <hlc>", decimal.
[[nodiscard]] std::string encode(const OriginProgress& progress);
[[nodiscard]] std::optional<OriginProgress> decode_progress(std::string_view text);

/// "<final seq or -> <origin>".
[[nodiscard]] std::string encode(const ActorRecord& record);
[[nodiscard]] std::optional<ActorRecord> decode_actor(std::string_view text);

/// Twenty digits, so that the order of the texts is the order of the numbers.
[[nodiscard]] std::string encode(Hlc hlc);

/// Raised when what is set aside changes shape; what has another number cannot be read.
inline constexpr std::uint64_t kParkedFormat = 2;
inline constexpr std::uint64_t kBlockFormat = 2;

/// "<key's length, 8 hex digits><key>", then the rest but for the id, which is the field's name.
/// The script makes the index by key from the start of it.
[[nodiscard]] std::string encode(const ParkedEntry& parked);
/// What cannot be read has its id and a reason that says so.
[[nodiscard]] ParkedEntry decode_parked(std::string_view id, std::string_view bytes);
/// Before the ids of what is parked for `key` in tributary:parked:keys.
[[nodiscard]] std::string index_of_key(std::string_view key);

/// The mark, 16 hex digits, then the rest.
[[nodiscard]] std::string encode(const KeyBlock& block, std::string_view mark);
/// Bytes that cannot be read are a block that is incomplete.
[[nodiscard]] KeyBlock decode_block(std::string_view bytes);

/// Names, each after its length in 8 hex digits, as far as they can be read; and whether that was
/// all.
[[nodiscard]] std::pair<std::vector<std::string>, bool> decode_names(std::string_view bytes);

/// A decimal 64-bit number; nullopt for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_u64(std::string_view text);

}  // namespace tributary::redis

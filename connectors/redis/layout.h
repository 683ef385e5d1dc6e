/// How a replica is laid out in Redis; docs/replica-layout.md tells it to people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tributary/connectors/replica_store.h>

namespace tributary::redis {

inline constexpr std::string_view kWatermarkKey = "tributary:watermark";
inline constexpr std::string_view kProgressKey = "tributary:progress";
inline constexpr std::string_view kHlcKey = "tributary:hlc";
inline constexpr std::string_view kParkedKey = "tributary:parked";
inline constexpr std::string_view kDeferringKey = "tributary:deferring";

/// The state hash of a key, in the same hash slot as its view.
struct StateKey {
  std::string_view before;  ///< "tributary:{" or "tributary:"
  std::string_view key;
  std::string_view after;  ///< "}" or ""
};
[[nodiscard]] StateKey state_key(std::string_view key);

/// Field of a state hash: "<type> <16 hex digits>[ deferring]". The digits are random at every
/// commit, never a counter: a replica that was rolled back must not meet an equal version again.
inline constexpr std::string_view kVersionField = "version";
/// Stands before the name of a type's own field, so that none is ever "version".
inline constexpr std::string_view kFieldPrefix = ":";

[[nodiscard]] std::string make_version(std::string_view type, std::uint64_t nonce, bool deferring);
[[nodiscard]] std::string_view type_of_version(std::string_view version);
/// The key is listed in tributary:deferring.
[[nodiscard]] bool deferring_by_version(std::string_view version);

/// "<actor hex> <offset> <head seq> <hlc>", decimal.
[[nodiscard]] std::string encode(const OriginProgress& progress);
[[nodiscard]] std::optional<OriginProgress> decode_progress(std::string_view text);

/// Twenty digits, so that the order of the texts is the order of the numbers.
[[nodiscard]] std::string encode(Hlc hlc);

/// The id is the field's name; the rest is its value.
[[nodiscard]] std::string encode(const Parked& parked);
[[nodiscard]] std::optional<Parked> decode_parked(std::string_view id, std::string_view bytes);

/// A decimal 64-bit number; nullopt for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_u64(std::string_view text);

}  // namespace tributary::redis

/// How a replica is laid out in Redis. See docs/replica-layout.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <tributary/base/result.h>
#include <tributary/connectors/replica_store.h>

namespace tributary::redis {

inline constexpr std::string_view kWatermarkKey = "tributary:watermark";
inline constexpr std::string_view kProgressKey = "tributary:progress";
inline constexpr std::string_view kHlcKey = "tributary:hlc";
inline constexpr std::string_view kParkedKey = "tributary:parked";
inline constexpr std::string_view kDeferringKey = "tributary:deferring";
/// Field of a state hash: "<type> <nonce of the last commit>".
inline constexpr std::string_view kVersionField = "version";

/// The state hash beside a view, in the same hash slot: `tributary:{key}`, or `tributary:` + key
/// for a key that has a hash tag of its own.
[[nodiscard]] std::string state_key(std::string_view key);

/// "<type> <nonce>" apart; the version is the whole, the type its first word.
[[nodiscard]] std::string type_of_version(std::string_view version);

[[nodiscard]] std::string encode(const OriginProgress& progress);
[[nodiscard]] std::optional<OriginProgress> decode_progress(std::string_view text);

/// Twenty digits, so that the order of the text is the order of the numbers.
[[nodiscard]] std::string encode(Hlc hlc);
[[nodiscard]] Hlc decode_hlc(std::string_view text);

[[nodiscard]] std::string encode(const Parked& parked);
[[nodiscard]] std::optional<Parked> decode_parked(std::string_view id, std::string_view bytes);

/// A decimal 64-bit number; nullopt for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_u64(std::string_view text);

}  // namespace tributary::redis

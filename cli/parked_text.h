/// What was set aside, in words for people and as JSON for programs. All bytes of unknown origin
/// are escaped. Not for: reading or deciding about it (parked.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/outbox/outbox_store.h"
#include "connectors/replica/replica_store.h"

namespace tributary::cli {

/// "2026-11-25T01:02:03Z"; of times that no calendar has: the microseconds.
[[nodiscard]] std::string time_text(Micros wall);

/// Whether the relay set a row aside since nobody can tell whether it had been published before the
/// database was restored.
[[nodiscard]] bool in_doubt(std::string_view reason);
/// How to decide about rows in doubt.
[[nodiscard]] std::string doubt_advice(const std::string& origin);

// Two lines each, the second the reason.
[[nodiscard]] std::string entry_text(const std::string& region, const ParkedEntry& parked);
[[nodiscard]] std::string entry_text(const std::string& region, const std::string& key,
                                     const KeyBlock& block);
[[nodiscard]] std::string entry_text(const std::string& origin, const ParkedChange& change);

// One JSON object each.
[[nodiscard]] std::string entry_json(const std::string& region, const ParkedEntry& parked);
[[nodiscard]] std::string entry_json(const std::string& region, const std::string& key,
                                     const KeyBlock& block);
[[nodiscard]] std::string entry_json(const std::string& origin, const ParkedChange& change);

/// Everything that is known of it, also what is inside of its bytes; `block` is its key's.
[[nodiscard]] std::string details_text(const std::string& region, const ParkedEntry& parked,
                                       const KeyBlock& block);
/// The same of a row at an origin.
[[nodiscard]] std::string details_text(const std::string& origin, const ParkedChange& change);

}  // namespace tributary::cli

/// Keys that are there already and would get another type by a changed topology.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tributary/base/result.h>

#include "config/topology.h"

namespace tributary::cli {

struct TypeChange {
  std::string key;
  std::string from;
  std::string to;           ///< empty: no keyspace takes it any more
  std::string origin = {};  ///< in whose outbox a change of it waits; empty: a replica holds it
};
inline constexpr std::size_t kTypeChangesTold = 10;

struct TypeChanges {
  std::vector<TypeChange> told;      ///< the first of them
  std::uint64_t keys = 0;            ///< of one region, the one with the most
  std::uint64_t waiting = 0;         ///< changes on their way, of all origins
  std::uint64_t sealed = 0;          ///< of these, those that are sealed already
  std::vector<std::string> unasked;  ///< who could not be asked, with their reasons
};

/// Compares the keyspaces that the origins' databases know with the topology's, and, when a key may
/// get another type, looks through the keys of all replicas, in steps; and through what waits in
/// the outboxes. Databases that cannot be reached are left out: apply itself fails there.
[[nodiscard]] TypeChanges find_type_changes(const config::Topology& topology);

/// Marks all keys of the region that are of other types than the topology's: its consumer makes
/// them anew from the changelogs, as soon as it has this topology. The value is how many there are.
[[nodiscard]] Result<std::uint64_t> retype_keys(const config::Topology& topology,
                                                const config::Region& region);

}  // namespace tributary::cli

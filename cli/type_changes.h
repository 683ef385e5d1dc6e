/// Keys that are there already and would get another type by a changed topology.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/config/topology.h>

namespace tributary::cli {

struct TypeChange {
  std::string key;
  std::string from;
  std::string to;
};

struct TypeChanges {
  std::vector<TypeChange> told;  ///< the first of them
  std::uint64_t keys = 0;        ///< of one region, the one with the most
};

/// Compares the keyspaces stored in the origins' databases with the topology's, and, when others
/// than new ones at the end have changed, looks through the keys of all replicas, in steps. What
/// cannot be reached is left out: apply itself will say so.
[[nodiscard]] TypeChanges find_type_changes(const config::Topology& topology);

}  // namespace tributary::cli

/// What a change of the keyspaces may do to keys that are there.
#pragma once

#include <vector>

#include <tributary/crdt/schema.h>

namespace tributary::config {

/// Whether keys may get another type than they have when `after` follows `before`: they have it by
/// `before`, or by any of `ever`, the keyspaces of all times. False: none can.
[[nodiscard]] bool may_change_types(const std::vector<Keyspace>& before,
                                    const std::vector<Keyspace>& ever,
                                    const std::vector<Keyspace>& after);

}  // namespace tributary::config

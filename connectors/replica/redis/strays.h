/// What another program wrote under the names of the keys that the replica has as a whole, and of
/// another Redis type: it is moved aside, kept, and what stood there is made anew as far as that
/// can be told. What nobody can tell any more stops no more than it must. Not for: fields of ours
/// that cannot be read (progress.h), and strays in the place of one key's state (loading.h).
#pragma once

#include <string>
#include <vector>

#include <tributary/base/result.h>

#include "connectors/replica/redis/connection.h"

namespace tributary::redis {

/// ReplicaStore::move_strays_aside(). Indexes are gone afterwards, as if somebody had dropped them.
[[nodiscard]] Result<std::vector<std::string>> move_strays_aside(Connection& connection);

}  // namespace tributary::redis

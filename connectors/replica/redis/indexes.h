/// The indexes of a replica, made anew from what they index when another program (or an eviction)
/// dropped them or some of that: else nobody finds what still waits.
#pragma once

#include <cstdint>
#include <vector>

#include "connectors/replica/redis/connection.h"

namespace tributary::redis {

class Indexes {
 public:
  /// Cheap while they are as they should be and no key is blocked; `thoroughly`, what their sizes
  /// do not tell, too. Atomic page by page, so that others may commit meanwhile. `nonce` is another
  /// one each time.
  Result<void> mend(Connection& connection, bool thoroughly, std::uint64_t nonce);

 private:
  Result<void> mend_parked(Connection& connection);

  /// What could not be made equal is not tried again before it changes.
  std::vector<std::int64_t> accepted_;
};

}  // namespace tributary::redis

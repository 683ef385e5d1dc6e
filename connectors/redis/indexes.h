/// The indexes of what is set aside, made anew from what they index when another program (or an
/// eviction) dropped them or some of that: else nobody finds what still waits.
#pragma once

#include <cstdint>
#include <vector>

#include <tributary/connectors/redis/connection.h>

namespace tributary::redis {

class Indexes {
 public:
  /// Cheap while they are as they should be. Atomic page by page, so that others may commit
  /// meanwhile.
  Result<void> mend(Connection& connection);

 private:
  /// What could not be made equal is not tried again before it changes.
  std::vector<std::int64_t> accepted_;
};

}  // namespace tributary::redis

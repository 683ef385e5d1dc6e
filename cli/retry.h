/// Applying parked changes again.
#pragma once

#include <string>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/connectors/replica_store.h>

namespace tributary::cli {

struct Retried {
  std::size_t applied = 0;
  std::vector<Parked> still_parked;  ///< with the reason of this attempt
};

/// Tries the parked changes of `key` (empty: of all keys), all of one key at once: when one of them
/// cannot be joined, all of that key stay parked. Safe beside a running consumer.
[[nodiscard]] Result<Retried> retry_parked(ReplicaStore& store, const std::string& key);

/// Forgets these ids without applying them.
[[nodiscard]] Result<void> discard_parked(ReplicaStore& store, const std::vector<std::string>& ids);

}  // namespace tributary::cli

/// Setting aside what cannot be applied.
#pragma once

#include <string>

#include <tributary/base/clock.h>
#include <tributary/connectors/replica_store.h>
#include <tributary/consumer/group.h>
#include <tributary/consumer/inbox.h>

namespace tributary {

/// A message that is no batch, kept as it came.
[[nodiscard]] Parked park_message(const Received& received, std::string reason, Micros now);

/// One delta, kept as a batch of its own with the contexts it needs.
[[nodiscard]] Parked park_delta(const DeltaRef& ref, std::string reason, Micros now);

}  // namespace tributary

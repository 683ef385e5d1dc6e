/// A counter: every actor's running totals of increments and decrements, joined by maximum
/// (PN-counter; Shapiro et al., "A comprehensive study of CRDTs", 2011).
///
/// Delta: the actor's totals after its last change, then what its changes in the batch added to
/// each, which nobody joins: it tells what the changes were. State field "t": actor -> (increments,
/// decrements). View: a string, the sum as an integer, exact even when it passes 64 bits.
#pragma once

#include <cstdint>
#include <string>

#include <tributary/crdt/change.h>

namespace tributary::counter {

/// Adds `amount`, which may be negative. INT64_MIN is refused at write.
[[nodiscard]] inline Change add(std::string key, std::int64_t amount) {
  return {.key = std::move(key), .type = "counter", .operation = "add", .amount = amount};
}

}  // namespace tributary::counter

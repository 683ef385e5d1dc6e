/// Delivery of finished histories to an empty replica, in an order of one's choice.
#pragma once

#include <vector>

#include "tests/laws/history.h"
#include "tests/laws/replica.h"

namespace tributary::laws {

/// One actor's batches, in seq order.
using Stream = std::vector<SealedDeltas>;

/// The author's changes sealed again, in runs of random sizes up to `longest`.
[[nodiscard]] Stream seal_again(const crdt::Type& type, const Author& author, std::size_t longest,
                                Dice& dice);

/// A replica that received all streams in a random order that keeps each stream's own, with some
/// batches delivered twice and three times.
[[nodiscard]] Replica deliver(const crdt::Type& type, const std::vector<Stream>& streams,
                              Dice& dice);

}  // namespace tributary::laws

/// Sealed batches that can no longer be published: the changelog goes by an actor that took over
/// from theirs before them. Published, no consumer would obey them; so what they hold is sealed
/// anew under the actor that leads now, or set aside when it cannot be told whether it was
/// published otherwise.
#pragma once

#include <cstddef>
#include <functional>

#include <tributary/base/result.h>

#include "outbox/batch/sealing.h"
#include "relay/leadership.h"

namespace tributary {

/// Takes the first of leadership.voided out of the outbox, in their order, about `bytes` of them
/// and at least one; all of them before anything else is sealed. Each is gone when all of its rows
/// were published in other batches, sealed anew when none was, and else parked, row by row; one
/// that this program does not understand stays where it is, and that is said. `publish` gets what
/// was sealed. The changelog is read as a whole. Errors as of the ports; whatever was done by then
/// is done.
[[nodiscard]] Result<void> reseal_void(Leadership& leadership, const Succession& succession,
                                       const SealRules& rules, std::size_t bytes,
                                       const std::function<void(SealedBatch)>& publish);

}  // namespace tributary

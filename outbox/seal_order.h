/// In which order rows are sealed, and where a batch may end between them.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include <tributary/outbox/rows.h>

namespace tributary {

/// Indices of rows that are sealed together.
using SealUnit = std::vector<std::size_t>;

/// Groups the `taken` of the rows, which come in id order, so that no transaction has rows in two
/// units. A unit is a run of rows in id order. Where transactions were written at the same time
/// their ids interleave, and a run may hold many: one with `too_large` said of it is taken apart
/// into its transactions, in the order of their last rows. That order keeps what row locks
/// enforced: who changed a row after another one had committed wrote his last change after it, too.
[[nodiscard]] std::vector<SealUnit> seal_order(
    std::span<const OutboxRow> rows, const std::function<bool(const OutboxRow&)>& taken,
    const std::function<bool(const SealUnit&)>& too_large);

}  // namespace tributary

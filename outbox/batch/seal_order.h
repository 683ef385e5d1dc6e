/// In which order rows are sealed, and where a batch may end between them.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "outbox/batch/rows.h"

namespace tributary {

/// Indices of rows that are sealed together.
using RowUnit = std::span<const std::size_t>;

/// The rows in the order in which they are sealed.
struct UnitOrder {
  std::vector<std::size_t> rows;
  std::vector<std::size_t> ends;  ///< in `rows`, of each unit

  [[nodiscard]] std::size_t size() const { return ends.size(); }
  [[nodiscard]] RowUnit operator[](std::size_t unit) const {
    const std::size_t begin = unit == 0 ? 0 : ends[unit - 1];
    return RowUnit(rows).subspan(begin, ends[unit] - begin);
  }
};

/// Groups the rows `taken`, by their indices, in id order, so that no transaction has rows in two
/// units. A unit is a run of rows in id order. Where transactions were written at the same time
/// their ids interleave, and a run may hold many: one with `too_large` said of it is taken apart
/// into its transactions, in the order of their last rows. That order keeps what row locks
/// enforced: who changed a row after another one had committed wrote his last change after it, too.
[[nodiscard]] UnitOrder seal_order(std::span<const OutboxRow> rows, std::vector<std::size_t> taken,
                                   const std::function<bool(RowUnit)>& too_large);

}  // namespace tributary

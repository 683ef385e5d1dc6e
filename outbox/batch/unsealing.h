/// A sealed batch that can no longer be published, as rows again: its actor was followed by another
/// one before it reached the changelog, as when a database is put back to a backup and then to a
/// later one. Not for: batches that can (they are published as they are).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/crdt/hlc.h>

#include "outbox/batch/batch.h"
#include "outbox/batch/rows.h"

namespace tributary {

/// A row made of a batch. Its number, transaction and tag follow from the batch: however often it
/// is made, it is the same row, and known again in whatever consumed it.
struct UnsealedRow {
  std::int64_t id = 0;  ///< counts from 1
  std::int64_t transaction = 0;
  std::string key;
  std::string type;
  std::string operation;
  std::optional<std::string> value;                 ///< absent: the operation takes none
  std::optional<std::int64_t> amount;               ///< absent: the operation takes none
  std::shared_ptr<const std::string> context = {};  ///< shared among rows; absent: none
  bool exact = false;
  Hlc hlc;
  std::uint64_t tag = 0;

  /// Valid as long as this.
  [[nodiscard]] OutboxRow view() const {
    return {.id = id,
            .transaction = transaction,
            .key = key,
            .type = type,
            .operation = operation,
            .field = {},
            .value = value ? std::string_view(*value) : std::string_view(),
            .amount = amount.value_or(0),
            .context = context ? std::string_view(*context) : std::string_view(),
            .exact = exact,
            .hlc = hlc,
            .tag = tag,
            .null_value = !value,
            .null_amount = !amount};
  }
};

/// Rows that do what the batch did, in one transaction. `former`: the actors of the origin, that of
/// the batch among them; contexts count for no more of each than its final seq. kPoison when the
/// batch holds what this program does not know.
[[nodiscard]] Result<std::vector<UnsealedRow>> unseal(const Batch& batch,
                                                      std::span<const FormerActor> former);

}  // namespace tributary

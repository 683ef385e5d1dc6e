/// What passes between an outbox store and sealing: rows taken, batches made, totals kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/crdt/hlc.h>
#include <tributary/crdt/schema.h>
#include <tributary/crdt/type.h>

namespace tributary {

/// A committed row of tributary_outbox. Views are valid until the seal transaction ends.
struct OutboxRow {
  std::int64_t id = 0;
  std::int64_t transaction = 0;  ///< rows of one transaction share it and are sealed together
  std::string_view key;
  std::string_view type;
  std::string_view operation;
  std::string_view field;
  std::string_view value;
  std::int64_t amount = 0;
  std::string_view context;  ///< VersionVector::bytes(); empty: none
  bool exact = false;        ///< the writer gave the context itself; else it is the region's
  Hlc hlc;                   ///< of the write
  std::uint64_t tag = 0;     ///< random, drawn when it was written, and kept ever after
  /// The id it was written under, when it was parked and retried since; 0: `id`.
  std::int64_t written_id = 0;
  bool null_field = false;  ///< as told by the database; the members above are then empty or 0
  bool null_value = false;
  bool null_amount = false;
  std::string odd = {};  ///< what a column holds that no member here can: why it is illegal

  [[nodiscard]] std::int64_t first_id() const { return written_id != 0 ? written_id : id; }
};

/// What is odd about a row that names its context by an id, which is not there.
[[nodiscard]] inline std::string unknown_context(std::int64_t id) {
  return "its context (id " + std::to_string(id) +
         ") is not in the database: put back tributary_told_context from the backup that the row "
         "is from, and retry it";
}

/// Key of a running total. `field` is empty for types without fields.
struct TotalsKey {
  std::string_view key;
  std::string_view field;
};

struct StoredTotals {
  std::string key;
  std::string field;
  crdt::Totals totals;
};

/// A sealed batch: immutable bytes (outbox/batch/batch.h) with its seq range.
struct SealedBatch {
  ActorId actor;
  Seq first_seq;
  Seq last_seq;
  std::string bytes;
  std::int64_t position = 0;  ///< in the order of sealing; 0: not read from the outbox
};

/// The rules that `topology apply` stored in the database, with which writers are checked.
struct StoredSchema {
  Schema schema;  ///< may name types that this program does not know
  std::vector<std::pair<std::string, std::string>>
      operations;  ///< (type, operation), all there are
  bool operator==(const StoredSchema&) const = default;
};

/// A row that can never be published, and why.
struct ParkedRow {
  std::int64_t id = 0;
  std::string reason;
};

}  // namespace tributary

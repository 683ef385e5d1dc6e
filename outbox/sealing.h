/// The rules of sealing: outbox rows in, a batch out. No I/O, no clock.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/crdt/hlc.h>
#include <tributary/crdt/schema.h>
#include <tributary/outbox/batch.h>
#include <tributary/outbox/rows.h>
#include <tributary/outbox/totals.h>

namespace tributary {

/// Where an origin's numbering stands.
struct OriginHead {
  ActorId actor;
  OriginName origin;
  Seq seq;  ///< last sealed
  Hlc hlc;  ///< of the last sealed change
};

struct Sealing {
  std::optional<SealedBatch> batch;  ///< absent when every row was parked
  std::vector<ParkedRow> parked;
  OriginHead head;  ///< after it
};

/// Numbers the rows in their order (contiguous seqs from head.seq + 1, timestamps that grow with
/// seq and stay at or below `latest` unless order forbids), joins the changes to one key into one
/// delta, and encodes the batch. Rows that can never be applied are parked and take no seq.
/// `totals` must know the counters of all rows (TotalsCache::unknown) and holds the new totals
/// afterwards.
[[nodiscard]] Sealing seal(const OriginHead& head, std::span<const OutboxRow> rows, Hlc latest,
                           const Schema& schema, TotalsCache& totals);

/// The bytes of an empty batch that tells head and time.
[[nodiscard]] std::string heartbeat(const OriginHead& head, Hlc now);

/// Raises `totals` by what the deltas of a retained batch carry.
void relearn(const Batch& batch, TotalsCache& totals);

}  // namespace tributary

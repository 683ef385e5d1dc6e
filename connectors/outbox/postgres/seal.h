/// The seal transaction on PostgreSQL: take rows, store the batch, advance the origin.
///
/// begin: one round trip: BEGIN, fence (locks the origin's row for as long as the seal takes, so
/// seals of two relays never overlap), then DELETE … RETURNING. Rows that commit later are met by
/// a later seal, whatever their ids. commit: one round trip that ends with COMMIT. Rows that are
/// parked or left are rare: for these the take is rolled back and done again, row by row, so that
/// they stay what they were to the last NULL.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/postgres/fence.h"
#include "connectors/outbox/postgres/idle.h"
#include "connectors/outbox/postgres/pipeline.h"
#include "connectors/outbox/postgres/told_contexts.h"

namespace tributary::postgres {

/// Borrows the pipeline. Not thread-safe.
class Seal {
 public:
  explicit Seal(Pipeline& pipeline) : pipeline_(pipeline), idle_(pipeline) {}

  /// A context that was told to writers under `id` need not be read.
  void told(std::int64_t id, std::string bytes) { contexts_.told(id, std::move(bytes)); }
  Result<std::span<const OutboxRow>> begin(const Fence& fence, SealLimit limit);
  Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys);
  Result<void> commit(const SealCommit& seal, const Fence& fence);
  void abort();

  /// Of what begin() took: how much, and whether there may be more behind it.
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] bool more() const { return more_; }

 private:
  /// One DELETE of the transactions that lie within the limit.
  struct Taken {
    std::size_t rows = 0;
    bool cut_short = false;  ///< there may be more
  };
  Result<Taken> take(const Fence& fence, SealLimit limit);
  void read_rows(const PGresult* result);
  Result<bool> any_row();
  void forget_rows();
  Result<void> take_again(const SealCommit& seal, const Fence& fence);

  Pipeline& pipeline_;
  bool open_ = false;
  bool more_ = false;
  IdlePolling idle_;
  std::vector<ResultHandle> results_;  ///< what rows_ points into
  std::vector<OutboxRow> rows_;
  std::vector<NamedContext> named_;
  ToldContexts contexts_;
};

/// Within the open transaction: the batch, which is borrowed; and the origin's clock and its head,
/// which the last of `batches` is from now on. None, absent: as they are.
void queue_batch(Pipeline& pipeline, const SealedBatch& batch);
void queue_advance(Pipeline& pipeline, Hlc hlc, std::span<const SealedBatch> batches,
                   std::optional<Seq> totals_seq = std::nullopt);
/// Queues the upsert of `totals` for `actor`, within the open transaction.
void queue_totals(Pipeline& pipeline, ActorId actor, std::span<const StoredTotals> totals);

}  // namespace tributary::postgres

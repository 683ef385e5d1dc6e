/// The seal transaction on PostgreSQL: take rows, store the batch, advance the origin.
///
/// begin: one round trip: BEGIN, fence (locks the origin's row for as long as the seal takes, so
/// seals of two relays never overlap), then DELETE … RETURNING. Rows that commit later are met by
/// a later seal, whatever their ids. commit: one round trip that ends with COMMIT.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tributary/connectors/outbox_store.h>
#include <tributary/connectors/postgres/pipeline.h>

namespace tributary::postgres {

/// Borrows the pipeline. Not thread-safe.
class Seal {
 public:
  explicit Seal(Pipeline& pipeline) : pipeline_(pipeline) {}

  Result<std::span<const OutboxRow>> begin(std::uint64_t epoch, SealLimit limit);
  Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys);
  Result<void> commit(const SealCommit& seal, ActorId actor);
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
  Result<Taken> take(std::uint64_t epoch, SealLimit limit);
  void read_rows(const PGresult* result);
  Result<bool> any_row();
  void park(const ParkedRow& parked);

  Pipeline& pipeline_;
  bool open_ = false;
  bool more_ = false;
  bool idle_ = false;  ///< the last begin() found nothing: ask before opening a transaction
  std::vector<ResultHandle> results_;  ///< what rows_ points into
  std::vector<OutboxRow> rows_;
};

}  // namespace tributary::postgres

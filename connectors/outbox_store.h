/// Port: the outbox tables of one origin, as the relay needs them. Implemented by postgres, sqlite
/// and memory; tests/conformance/outbox_store decides whether an implementation is right.
/// Not for: writing changes (see outbox/transaction.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/clock.h>
#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/hlc.h>
#include <tributary/crdt/type.h>
#include <tributary/crdt/version_vector.h>
#include <tributary/outbox/batch.h>
#include <tributary/outbox/rows.h>

namespace tributary {

/// The origin's row, as the leader found it.
struct OriginRecord {
  OriginName name;
  std::optional<ActorId> actor;    ///< absent in a new outbox: mint one
  std::string identity;            ///< of the database, when the actor was minted
  std::string current_identity;    ///< of the database now; different: restored or forked
  Seq head_seq;                    ///< last sealed seq of the actor
  Hlc hlc;                         ///< of the last sealed change
  std::uint64_t leader_epoch = 0;  ///< ours; a later leader has a larger one
  Seq confirmed_seq;               ///< batches up to here were confirmed by the changelog
  Seq totals_seq;  ///< the stored totals hold every change up to here, maybe more not
};

/// How much one seal takes, about: whole transactions at a time, and always one.
struct SealLimit {
  std::size_t rows = 0;
  std::size_t bytes = std::size_t{64} << 20;  ///< of values
};

/// All that one seal writes, in one database transaction.
struct SealCommit {
  std::optional<SealedBatch> batch;      ///< absent when every taken row was parked
  Hlc hlc;                               ///< the origin's clock after it
  std::span<const ParkedRow> parked;     ///< of the rows taken
  std::span<const StoredTotals> totals;  ///< to upsert
  std::optional<Seq> totals_seq;         ///< set when `totals` brings the stored totals up to here
};

/// What status shows of an outbox.
struct OutboxStatus {
  std::optional<ActorId> actor;
  Seq head_seq;
  Seq confirmed_seq;
  std::uint64_t depth = 0;        ///< rows committed and not yet sealed
  std::uint64_t unconfirmed = 0;  ///< changes sealed and not yet confirmed
  std::uint64_t parked = 0;       ///< rows set aside at sealing
  Micros oldest{0};               ///< wall time of the oldest unsealed row; 0: none
};

/// Thread rule: one thread at a time. Errors: kTransient when the database cannot be reached or is
/// busy, kConflict when another relay leads, kFatal when the tables are missing.
class OutboxStore {
 public:
  virtual ~OutboxStore() = default;

  /// Takes the lease if it is free and raises the leader epoch; kConflict names it as held.
  /// The lease ends with the connection, release(), or the process.
  virtual Result<OriginRecord> lead() = 0;
  /// Gives the origin a new actor (head_seq, confirmed_seq and totals start at 0). Fenced.
  virtual Result<void> mint(ActorId actor) = 0;
  virtual Result<void> release() = 0;

  /// Opens the seal transaction and takes committed rows up to about `limit` in id order, whole
  /// transactions at a time; the rows disappear from the outbox if it commits. No rows: the
  /// transaction is closed again. The span is valid until commit_seal() or abort_seal().
  virtual Result<std::span<const OutboxRow>> begin_seal(SealLimit limit) = 0;
  /// Within the seal transaction: stored totals of the current actor for those keys that have any.
  virtual Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys) = 0;
  /// Commits the seal, fenced by the leader epoch (kConflict: another relay took over, nothing is
  /// written). After a transient error it may or may not have been committed: lead() again.
  virtual Result<void> commit_seal(const SealCommit& seal) = 0;
  virtual void abort_seal() = 0;

  /// Deletes unsealed rows that a batch has consumed: those of the same ids and transaction, if the
  /// first of them was written at the same time. For a database that was restored. Fenced.
  virtual Result<void> discard(std::span<const ConsumedRows> rows) = 0;

  /// Batches of any actor not yet confirmed, in sealing order.
  virtual Result<std::vector<SealedBatch>> unconfirmed() = 0;
  /// Retained batches of the current actor with first_seq > `after`, at most `limit`, in order.
  virtual Result<std::vector<SealedBatch>> retained(Seq after, std::size_t limit) = 0;
  /// Batches of `actor` up to `seq` are confirmed. Those confirmed before `retention` ago and
  /// covered by the stored totals are forgotten, a bounded number a call. Fenced.
  virtual Result<void> confirm(ActorId actor, Seq seq, Micros retention) = 0;

  /// What changes written from now on count as seen by their writer.
  virtual Result<void> set_context(const VersionVector& watermark, Hlc hlc) = 0;

  /// Needs no lease. May be called on a store that never led.
  virtual Result<OutboxStatus> status() = 0;
};

}  // namespace tributary

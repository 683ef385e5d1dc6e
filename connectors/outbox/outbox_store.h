/// Port: the outbox tables of one origin, as the relay needs them. Implemented by postgres, sqlite
/// and memory; tests/conformance/outbox_store decides whether an implementation is right.
/// Not for: writing changes (see tributary/outbox/transaction.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/hlc.h>
#include <tributary/crdt/type.h>
#include <tributary/crdt/version_vector.h>

#include "base/clock.h"
#include "outbox/batch/batch.h"
#include "outbox/batch/rows.h"
#include "outbox/batch/unsealing.h"
#include "outbox/batch/writer_context.h"

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
  Seq totals_seq;           ///< the stored totals hold every change up to here, maybe more not
  Hlc context_hlc;          ///< the largest that writers were told of so far
  VersionVector told = {};  ///< the join of all that writers were ever told of
  std::vector<FormerActor> former = {};  ///< oldest first
  HistoryDigest history = {};            ///< of the actor, up to head_seq
  HistoryDigest former_history = {};     ///< see Batch; as the actor was minted
};

/// A new actor for the origin.
struct Minting {
  ActorId actor;
  Hlc hlc;                               ///< the origin's clock is raised to it
  std::vector<FormerActor> former = {};  ///< to remember, oldest first, beyond those already there;
                                         ///< a known actor gets the final seq told here
  HistoryDigest former_history = {};     ///< see Batch
};

/// How much one seal takes, about: whole transactions at a time, and always one.
struct SealLimit {
  std::size_t rows = 0;
  std::size_t bytes = std::size_t{64} << 20;  ///< of keys, fields, values and contexts
};

/// All that one seal writes, in one database transaction.
struct SealCommit {
  std::span<const SealedBatch> batches;  ///< in order; none when every row was parked or left
  Hlc hlc;                               ///< the origin's clock after it
  std::span<const ParkedRow> parked;     ///< of the rows taken: whole transactions
  std::span<const std::int64_t> left;    ///< ids of rows taken that stay in the outbox as they are
  std::span<const StoredTotals> totals;  ///< to upsert
  std::optional<Seq> totals_seq;         ///< set when `totals` brings the stored totals up to here
};

/// What becomes of a sealed batch that can no longer be published, in one database transaction.
struct Resealing {
  std::int64_t position = 0;                 ///< of the batch, which goes
  std::span<const SealedBatch> batches;      ///< that follow the head and stand for it
  Hlc hlc;                                   ///< the origin's clock after it
  std::span<const UnsealedRow> parked = {};  ///< its rows, for a person to decide
  std::string_view reason = {};              ///< of parking
};

/// A row that was set aside, for people. Rows of one transaction are retried or discarded together.
struct ParkedChange {
  std::int64_t position = 0;  ///< grows in the order of parking
  std::int64_t transaction = 0;
  std::string key;
  std::string type;
  std::string operation;
  std::string field;
  std::string value;
  std::int64_t amount = 0;
  Hlc hlc;
  std::string reason;
  Micros parked_at{0};
};

/// A row that waits to be sealed.
struct WaitingRow {
  std::int64_t id = 0;
  std::string key;
  std::string type;
};

/// Rows that a person has discarded.
struct DiscardRecord {
  std::int64_t position = 0;  ///< grows
  ConsumedRows rows;
  bool operator==(const DiscardRecord& other) const {
    return position == other.position && rows.transaction == other.rows.transaction &&
           rows.first_id == other.rows.first_id && rows.last_id == other.rows.last_id &&
           rows.tag == other.rows.tag;
  }
};

/// What status shows of an outbox.
struct OutboxStatus {
  /// Rows are counted no further: one more stands for "more".
  static constexpr std::uint64_t kMostCounted = 100'000;

  std::optional<ActorId> actor;
  Seq head_seq;
  HistoryDigest history = {};         ///< up to head_seq
  HistoryDigest former_history = {};  ///< see OriginRecord
  Seq confirmed_seq;
  std::uint64_t depth = 0;        ///< rows committed and not yet sealed
  std::uint64_t unconfirmed = 0;  ///< changes sealed and not yet confirmed
  std::uint64_t parked = 0;       ///< rows set aside
  Micros oldest{0};               ///< wall time of the oldest unsealed row; 0: none
  std::vector<FormerActor> former = {};
};

/// A number of rows as status() counts them: "100000+" when there are more.
[[nodiscard]] inline std::string counted(std::uint64_t rows) {
  return rows > OutboxStatus::kMostCounted ? std::to_string(OutboxStatus::kMostCounted) + "+"
                                           : std::to_string(rows);
}

/// Thread rule: one thread at a time. Errors: kTransient when the database cannot be reached or is
/// busy, kConflict when another relay leads or the database was put back to an earlier state,
/// kFatal when the tables are missing.
///
/// *Fenced* means: within the same transaction the origin's row must still say what this store
/// knows: leader epoch, actor and head seq. An outbox that was restored under a running relay fails
/// this, whatever the way of the restore.
class OutboxStore {
 public:
  virtual ~OutboxStore() = default;

  /// Takes the lease if it is free and raises the leader epoch; kConflict names it as held.
  /// The lease ends with the connection, release(), or the process.
  virtual Result<OriginRecord> lead() = 0;
  /// Gives the origin a new actor (head_seq, confirmed_seq and totals start at 0). Fenced. Takes
  /// constant time: the totals of the actor before are ignored from now on and go bit by bit.
  virtual Result<void> mint(const Minting& minting) = 0;
  virtual Result<void> release() = 0;

  /// Keyspaces, limits and operations as stored now. Needs no lease.
  virtual Result<StoredSchema> schema() = 0;
  /// Every keyspace that was ever applied, in no order: keys of its type may be anywhere. Only
  /// whoever applies may ask.
  virtual Result<std::vector<Keyspace>> keyspaces_ever() = 0;

  /// Opens the seal transaction and takes committed rows up to about `limit` in id order, whole
  /// transactions at a time; the rows disappear from the outbox if it commits. No rows (also while
  /// a seal would disturb services, for a moment): the transaction is closed again. The span is
  /// valid until commit_seal() or abort_seal(). Fenced.
  virtual Result<std::span<const OutboxRow>> begin_seal(SealLimit limit) = 0;
  /// Within the seal transaction, or before the first: stored totals of the current actor for those
  /// keys that have any.
  virtual Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys) = 0;
  /// Commits the seal. Fenced; kConflict: nothing is written. After a transient error it may or may
  /// not have been committed: lead() again.
  virtual Result<void> commit_seal(const SealCommit& seal) = 0;
  virtual void abort_seal() = 0;
  /// Stores running totals outside of a seal: the stored totals hold every change up to
  /// `totals_seq` afterwards. Fenced.
  virtual Result<void> save_totals(std::span<const StoredTotals> totals, Seq totals_seq) = 0;

  /// Deletes rows that a batch has consumed, wherever they are now: in the outbox, given back to it
  /// under new ids, or parked. They are the same rows when ids, transaction and tag are.
  /// For a database that was restored. Fenced.
  virtual Result<void> discard(std::span<const ConsumedRows> rows) = 0;
  /// Parks every row that is committed now (perhaps one that is committed meanwhile, too), with
  /// `reason`, and puts it before the reasons of those that are parked already; the value is how
  /// many rows got it. In steps, each fenced: repeat it after an error.
  virtual Result<std::uint64_t> set_aside(std::string_view reason) = 0;

  /// Batches of any actor not yet confirmed, in sealing order (SealedBatch::position), behind
  /// `after`, as many as make up `limit`, at least one if there is any. Fenced when there is none:
  /// the successor's record that is published then promises that all of them were.
  virtual Result<std::vector<SealedBatch>> unconfirmed(std::int64_t after, SealLimit limit) = 0;
  /// Retained batches of the current actor with first_seq > `after`, in order, as many as make up
  /// `limit`, at least one if there is any.
  virtual Result<std::vector<SealedBatch>> retained(Seq after, SealLimit limit) = 0;
  /// A batch that was not confirmed goes, and is sealed anew or parked. Fenced; kConflict, too,
  /// when there is no such batch.
  virtual Result<void> reseal(const Resealing& resealing) = 0;
  /// Batches of `actor` up to `seq` are confirmed. Those confirmed before `retention` ago and
  /// covered by the stored totals are forgotten, a bounded number a call. Fenced.
  virtual Result<void> confirm(ActorId actor, Seq seq, Micros retention) = 0;

  /// What changes written from now on count as seen by their writer. The hlc that writers are told
  /// never goes down, and OriginRecord::told holds it from the moment that a writer can have it.
  /// All but the hlc may be put off when there is no room for more of them: tell it again after a
  /// minute, which costs little when nothing is new. Fenced, at the latest when it is written.
  virtual Result<void> set_context(const WriterContext& context, Hlc hlc) = 0;

  /// Needs no lease. May be called on a store that never led, as the following.
  virtual Result<OutboxStatus> status() = 0;
  /// What waits behind `after`, in the order of ids, at most `limit`.
  virtual Result<std::vector<WaitingRow>> waiting(std::int64_t after, std::size_t limit) = 0;
  /// What is parked behind `after`, in the order of positions, at most `limit`.
  virtual Result<std::vector<ParkedChange>> parked(std::int64_t after, std::size_t limit) = 0;
  /// Puts all parked rows of a transaction back into the outbox, as they were written, behind all
  /// rows that are there; the value is how many. They get new ids and remember those under which
  /// they were written. kInvalid when none is parked.
  virtual Result<std::uint64_t> retry_parked(std::int64_t transaction) = 0;
  /// Forgets all parked rows of a transaction, but for what discarded() tells. kInvalid when none
  /// is parked.
  virtual Result<std::uint64_t> discard_parked(std::int64_t transaction) = 0;

  /// Discards that the changelog has yet to be told of, so that a restored database does not bring
  /// them back: in the order of positions, at most `limit`.
  virtual Result<std::vector<DiscardRecord>> discarded(std::size_t limit) = 0;
  /// `batch`, which follows the head, tells these: it is stored as a seal would, and they are
  /// forgotten, in one transaction. Others that have taken their positions since, as those of a
  /// database that was put back, stay. `hlc`: the origin's clock. Fenced.
  virtual Result<void> seal_discarded(std::span<const DiscardRecord> told, const SealedBatch& batch,
                                      Hlc hlc) = 0;
};

}  // namespace tributary

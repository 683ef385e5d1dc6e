/// The rules of sealing: outbox rows in, batches out. No I/O, no clock. The seal is the one
/// authority that checks every row, whatever way it came into the outbox.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/hlc.h>

#include "outbox/batch/batch.h"
#include "outbox/batch/rows.h"
#include "outbox/batch/totals.h"

namespace tributary {

/// The most that a clock may say: a year below kMaxHlc, up to which every time is obeyed and told
/// to the writers who saw it. So above whatever a clock has caused there is room to beat it.
inline constexpr Hlc kMaxClock = Hlc::from_micros(4'070'908'800'000'000);

/// Where an origin's numbering stands.
struct OriginHead {
  ActorId actor;
  OriginName origin;
  Seq seq;                            ///< last sealed
  Hlc hlc;                            ///< of the last sealed change
  HistoryDigest history = {};         ///< up to seq
  HistoryDigest former_history = {};  ///< see Batch
};

/// What sealing knows beside the rows.
struct SealRules {
  const StoredSchema* schema = nullptr;
  Hlc clock;  ///< the relay's wall time plus the permitted skew: a clock ahead of it is clamped
  Hlc seen;   ///< the largest that writers may have seen: never clamped below it
  /// The origin's former actors. What they wrote, a later writer in the same database has seen.
  std::vector<FormerActor> former = {};
  /// The most of other origins' changes that a writer can have seen: what the origin's region has
  /// applied, and whatever the database was ever told. See ContextJudge.
  VersionVector known = {};
  /// Rows whose tokens were there before `known` was asked for. Those of others that claim more
  /// than it wait until it is asked for again. nullopt: no token waits.
  std::optional<std::set<std::int64_t>> proven = {};
  std::string unasked = {};  ///< why it could not be asked last; empty: it could
  std::size_t batch_bytes = std::size_t{4} << 20;  ///< a batch is cut here, between transactions
  std::size_t piece_bytes = std::size_t{7} << 20;  ///< … and here, even within one
  std::size_t piece_changes = kMostChanges;        ///< as piece_bytes
};

struct SealResult {
  std::vector<SealedBatch> batches;  ///< none when every row was parked or left
  std::vector<ParkedRow> parked;     ///< whole transactions with a row that can never be applied
  /// Whole transactions that wait: they hold a row of a type or operation that the database's
  /// tables know and this program does not, or a token of `unproven`, or touch a key of such a
  /// transaction before them.
  std::vector<std::int64_t> left;
  std::string
      left_because;  ///< of the first; empty when they wait for no more than being asked for
  std::set<std::int64_t> unproven;  ///< rows whose tokens claim more than was known
  std::size_t pieces = 0;  ///< batches that end within a transaction: it was too large for one
  std::size_t capped = 0;  ///< tokens that claimed more than the region has applied
  OriginHead head;         ///< after it
};

/// Asks for the stored totals of counters; those that have none are left out.
using LoadTotals =
    std::function<Result<std::vector<StoredTotals>>(std::span<const TotalsKey> keys)>;

/// Numbers the rows in their order (contiguous seqs from head.seq + 1, timestamps that grow with
/// seq and stay at or below the clock unless order or what was seen forbids), joins the changes to
/// one key into one delta a batch, and encodes the batches. `totals` holds the new totals
/// afterwards; what it does not know of the rows' counters is asked for, once. Fails as `load`
/// does, with nothing sealed.
[[nodiscard]] Result<SealResult> seal(const OriginHead& head, std::span<const OutboxRow> rows,
                                      const SealRules& rules, TotalsCache& totals,
                                      const LoadTotals& load);

/// The same, where counters that `totals` does not know are new.
[[nodiscard]] SealResult seal(const OriginHead& head, std::span<const OutboxRow> rows,
                              const SealRules& rules, TotalsCache& totals);

/// Takes a seal that is not going to be committed out of `totals` again.
void unseal(const SealResult& sealing, std::span<const OutboxRow> rows, TotalsCache& totals);

/// The bytes of an empty batch that tells head, time and predecessor: the last of `former`,
/// and those before it when it published nothing.
[[nodiscard]] std::string heartbeat(const OriginHead& head, std::span<const FormerActor> former,
                                    Hlc now);

/// A batch without changes that tells of rows which a person has discarded, as if it had consumed
/// them. It takes a seq, so that a database which forgot the discard is known to be restored.
[[nodiscard]] SealedBatch seal_discarded(const OriginHead& head,
                                         std::span<const FormerActor> former,
                                         std::vector<ConsumedRows> rows);

/// Raises `totals` by what the deltas of a retained batch carry.
void relearn(const Batch& batch, TotalsCache& totals);

}  // namespace tributary

#include "connectors/outbox/postgres/outbox_store.h"

#include <algorithm>

#include <libpq-fe.h>

#include "connectors/outbox/postgres/cells.h"
#include "connectors/outbox/postgres/context_sweep.h"
#include "connectors/outbox/postgres/fence.h"
#include "connectors/outbox/postgres/parking.h"
#include "connectors/outbox/postgres/pipeline.h"
#include "connectors/outbox/postgres/pooler.h"
#include "connectors/outbox/postgres/reading.h"
#include "connectors/outbox/postgres/resealing.h"
#include "connectors/outbox/postgres/schema_sql.h"
#include "connectors/outbox/postgres/seal.h"
#include "connectors/outbox/postgres/statements.h"
#include "connectors/outbox/postgres/vacuum.h"

namespace tributary::postgres {
namespace {

using Results = std::vector<ResultHandle>;

/// The second key of the advisory lock: FNV-1a of the name, the same in every version.
std::int64_t lease_key(const OriginName& origin) {
  std::uint32_t hash = 2166136261U;
  for (const char c : origin.value) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return static_cast<std::int32_t>(hash);
}

class Store final : public OutboxStore {
 public:
  Store(Pipeline pipeline, OriginName origin, std::string url, int backend)
      : pipeline_(std::move(pipeline)),
        origin_(std::move(origin)),
        backend_(backend),
        seal_(pipeline_),
        vacuum_(std::move(url)) {}

  Result<OriginRecord> lead() override {
    TRIBUTARY_TRY(take_lease());
    TRIBUTARY_ASSIGN(const std::int64_t put_back, check_put_back());
    pipeline_.queue(statements::kBegin);
    pipeline_.queue(statements::kLead);
    pipeline_.queue(statements::kFormer);
    pipeline_.queue(statements::kTold);
    pipeline_.queue(statements::kAllPutBack, Params().add(put_back));
    TRIBUTARY_ASSIGN(const Results results, named(commit_queued(pipeline_)));
    const PGresult* const row = results[1].get();
    TRIBUTARY_TRY(check_origin(row));
    OriginRecord record = read_origin(row);
    record.former = read_former(results[2].get());
    told_ = record.told = read_told(results[3].get());
    fence_ = {record.leader_epoch, record.actor, record.head_seq};
    identity_ = text_at(row, 0, 3);
    counters_.start(bool_at(row, 0, 12));
    sweep_.start();
    return record;
  }

  Result<void> mint(const Minting& minting) override {
    ArrayParam actors(SqlType::kBigint);
    ArrayParam seqs(SqlType::kBigint);
    for (const FormerActor& each : minting.former) {
      actors.add(static_cast<std::int64_t>(each.actor.value));
      seqs.add(static_cast<std::int64_t>(each.final_seq.value));
    }
    queue_fenced_begin(pipeline_, fence_);
    pipeline_.queue(statements::kRemember, Params().add(actors.finish()).add(seqs.finish()));
    pipeline_.queue(statements::kMint, Params()
                                           .add(minting.actor.value)
                                           .add(identity_)
                                           .add(minting.hlc.value)
                                           .add(minting.former_history.value));
    TRIBUTARY_TRY(named(commit_queued(pipeline_)));
    fence_.actor = minting.actor;
    fence_.head = Seq{};
    counters_.start(false);
    return {};
  }

  Result<void> release() override {
    if (!leased_ || pipeline_.dead()) return {};
    pipeline_.queue(statements::kDropLease, Params().add(lease_key(origin_)));
    leased_ = false;
    TRIBUTARY_TRY(named(pipeline_.flush()));
    return {};
  }

  Result<StoredSchema> schema() override {
    pipeline_.queue(statements::kSchema);
    TRIBUTARY_ASSIGN(const Results results, named(pipeline_.flush()));
    return read_schema(results[0].get());
  }

  Result<std::vector<Keyspace>> keyspaces_ever() override {
    pipeline_.queue(statements::kKeyspacesEver);
    TRIBUTARY_ASSIGN(const Results results, named(pipeline_.flush()));
    return read_keyspaces(results[0].get());
  }

  Result<std::span<const OutboxRow>> begin_seal(SealLimit limit) override {
    return named(seal_.begin(fence_, limit));
  }
  Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys) override {
    return named(seal_.load_totals(keys));
  }
  Result<void> commit_seal(const SealCommit& seal) override {
    const std::size_t rows = seal_.size();
    TRIBUTARY_TRY(named(seal_.commit(seal, fence_)));
    if (!seal.batches.empty()) fence_.head = seal.batches.back().last_seq;
    vacuum_.deleted(rows, !seal_.more());
    return {};
  }
  void abort_seal() override { seal_.abort(); }

  Result<void> save_totals(std::span<const StoredTotals> totals, Seq totals_seq) override {
    queue_fenced_begin(pipeline_, fence_);
    queue_totals(pipeline_, fence_.actor.value_or(ActorId{}), totals);
    pipeline_.queue(statements::kSaveTotals, Params().add(totals_seq.value));
    TRIBUTARY_TRY(named(commit_queued(pipeline_)));
    return {};
  }

  Result<std::vector<SealedBatch>> unconfirmed(std::int64_t after, SealLimit limit) override {
    auto page = batches(statements::kUnconfirmed, after, limit);
    if (page && page->empty()) {
      queue_fenced_begin(pipeline_, fence_);
      TRIBUTARY_TRY(named(commit_queued(pipeline_)));
    }
    return page;
  }
  Result<std::vector<SealedBatch>> retained(Seq after, SealLimit limit) override {
    return batches(statements::kRetained, static_cast<std::int64_t>(after.value), limit);
  }

  Result<void> discard(std::span<const ConsumedRows> rows) override {
    return named(drop_consumed(pipeline_, fence_, rows));
  }

  Result<std::uint64_t> set_aside(std::string_view reason) override {
    return named(postgres::set_aside(pipeline_, fence_, reason));
  }

  Result<void> reseal(const Resealing& resealing) override {
    TRIBUTARY_TRY(named(postgres::reseal(pipeline_, fence_, resealing)));
    if (!resealing.batches.empty()) fence_.head = resealing.batches.back().last_seq;
    return {};
  }

  Result<void> confirm(ActorId actor, Seq seq, Micros retention) override {
    // A lost confirmation means that a batch is published again, which changes nothing.
    pipeline_.queue(statements::kBegin);
    pipeline_.queue(statements::kRelaxed);
    pipeline_.queue(statements::kFence, fence_.params());
    pipeline_.queue(statements::kForget, Params().add(std::int64_t{retention.count()}));
    pipeline_.queue(statements::kConfirm, Params().add(actor.value).add(seq.value));
    const bool sweeping = counters_.queue(pipeline_);
    TRIBUTARY_ASSIGN(const Results results, named(commit_queued(pipeline_)));
    if (sweeping) counters_.swept(results[5].get());
    return {};
  }

  Result<void> set_context(const WriterContext& context, Hlc hlc) override {
    told_.join(context.watermark());
    const std::string bytes = context.bytes();
    const bool room = sweep_.room(bytes.size(), SystemClock().monotonic());
    const std::string least = context.least().bytes();
    const std::string told = told_.bytes();
    pipeline_.queue(statements::kBegin);
    pipeline_.queue(statements::kRelaxed);
    pipeline_.queue(statements::kFence, fence_.params());
    if (room) {
      pipeline_.queue(statements::kSetContext,
                      Params().add(bytes).add(hlc.value).add(told).add(least));
    } else {
      pipeline_.queue(statements::kSetClock, Params().add(hlc.value));
    }
    const bool sweeping = sweep_.queue(pipeline_);
    TRIBUTARY_ASSIGN(const Results results, named(commit_queued(pipeline_)));
    if (PQntuples(results[3].get()) > 0) seal_.told(bigint_at(results[3].get(), 0, 0), bytes);
    if (sweeping) sweep_.swept(results[4].get());
    return {};
  }

  Result<std::vector<WaitingRow>> waiting(std::int64_t after, std::size_t limit) override {
    pipeline_.queue(statements::kWaiting,
                    Params().add(after).add(static_cast<std::uint64_t>(limit)));
    TRIBUTARY_ASSIGN(const auto results, named(pipeline_.flush()));
    return read_waiting(results[0].get());
  }
  Result<OutboxStatus> status() override {
    pipeline_.queue(statements::kStatus);
    pipeline_.queue(statements::kFormer);
    TRIBUTARY_ASSIGN(const Results results, named(pipeline_.flush()));
    if (PQntuples(results[0].get()) == 0) return fail(no_origin());
    OutboxStatus status = read_status(results[0].get());
    status.former = read_former(results[1].get());
    return status;
  }

  Result<std::vector<ParkedChange>> parked(std::int64_t after, std::size_t limit) override {
    return named(read_parked(pipeline_, after, limit));
  }
  Result<std::uint64_t> retry_parked(std::int64_t transaction) override {
    return named(postgres::retry_parked(pipeline_, transaction));
  }
  Result<std::uint64_t> discard_parked(std::int64_t transaction) override {
    return named(postgres::discard_parked(pipeline_, transaction));
  }
  Result<std::vector<DiscardRecord>> discarded(std::size_t limit) override {
    return named(read_discarded(pipeline_, limit));
  }
  Result<void> seal_discarded(std::span<const DiscardRecord> told, const SealedBatch& batch,
                              Hlc hlc) override {
    queue_fenced_begin(pipeline_, fence_);
    queue_forget_discarded(pipeline_, told);
    queue_batch(pipeline_, batch);
    queue_advance(pipeline_, hlc, {&batch, 1});
    TRIBUTARY_TRY(named(commit_queued(pipeline_)));
    fence_.head = batch.last_seq;
    return {};
  }

 private:
  template <typename T>
  Result<T> named(Result<T> result) const {
    if (result) return result;
    return fail(result.error().in("origin " + origin_.value));
  }

  Error no_origin() const {
    return Error{ErrorKind::kFatal, "origin " + origin_.value +
                                        ": the database has no origin: run `tributary topology "
                                        "apply`"};
  }

  Result<void> take_lease() {
    if (leased_) return {};
    pipeline_.queue(statements::kTryLease,
                    Params().add(lease_key(origin_)).add(std::int64_t{backend_}));
    pipeline_.queue(statements::kLeaseHolder, Params().add(lease_key(origin_)));
    TRIBUTARY_ASSIGN(const Results results, named(pipeline_.flush()));
    if (!bool_at(results[0].get(), 0, 1)) return fail(pooled().in("origin " + origin_.value));
    leased_ = bool_at(results[0].get(), 0, 0);
    if (leased_) return {};
    const PGresult* const holder = results[1].get();
    return fail(ErrorKind::kConflict,
                "origin " + origin_.value + ": another relay holds the lease" +
                    (PQntuples(holder) > 0 ? " (" + text_at(holder, 0, 0) + ")" : ""));
  }

  /// When the last of the tables was put back; 0: none was.
  Result<std::int64_t> check_put_back() {
    ArrayParam tables(SqlType::kText);
    for (const std::string_view name : kRestoredTables) tables.add(name);
    pipeline_.queue(statements::kPutBack, Params().add(tables.finish()));
    TRIBUTARY_ASSIGN(const Results results, named(pipeline_.flush()));
    const std::string missing = text_at(results[0].get(), 0, 1);
    const std::int64_t changed_at = bigint_at(results[0].get(), 0, 0);
    if (missing.empty()) return changed_at;
    return fail(
        ErrorKind::kTransient,
        "origin " + origin_.value + ": the database is being put back, without " + missing +
            " so far; waiting until all of Tributary's tables are, from one backup" +
            (changed_at > 0 ? "" : "; if nobody restores it, run `tributary topology apply`"));
  }

  Result<void> check_origin(const PGresult* row) const {
    if (PQntuples(row) == 0) return fail(no_origin());
    if (text_at(row, 0, 0) != origin_.value) {
      return fail(ErrorKind::kFatal, "origin " + origin_.value +
                                         ": the database is the outbox of origin \"" +
                                         text_at(row, 0, 0) + "\": correct the database URL");
    }
    if (bigint_at(row, 0, 9) > kSchemaVersion) {
      return fail(ErrorKind::kFatal, "origin " + origin_.value +
                                         ": the outbox tables are of a newer version: use a newer "
                                         "tributary");
    }
    return {};
  }

  Result<std::vector<SealedBatch>> batches(const Statement& statement, std::int64_t after,
                                           SealLimit limit) {
    pipeline_.queue(statements::kBegin);
    pipeline_.queue(statements::kUntimed);
    pipeline_.queue(
        statement,
        Params().add(after).add(std::uint64_t{limit.rows}).add(std::uint64_t{limit.bytes}));
    TRIBUTARY_ASSIGN(const Results results, named(commit_queued(pipeline_)));
    return read_batches(results[2].get());
  }

  Pipeline pipeline_;
  OriginName origin_;
  int backend_;
  Seal seal_;
  Vacuum vacuum_;
  FormerCounters counters_;
  ContextSweep sweep_;
  bool leased_ = false;
  Fence fence_;
  VersionVector told_;
  std::string identity_;
};

/// Lock and idle timeouts end a seal whose relay froze.
/// A statement may take longer than the deadline as long as its answer keeps coming.
std::string settings(Millis deadline) {
  return std::string(kNeededSettings) +
         " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off "
         "-c enable_bitmapscan=off -c enable_sort=off -c jit=off "
         "-c plan_cache_mode=force_generic_plan -c statement_timeout=" +
         std::to_string(6 * deadline.count()) +
         " -c lock_timeout=" + std::to_string(deadline.count()) +
         " -c idle_in_transaction_session_timeout=" + std::to_string(3 * deadline.count());
}

/// For the server to notice soon that we are gone, where it can.
void watch_client(PGconn* connection, Millis deadline) {
  for (const std::string& setting :
       {std::string("client_connection_check_interval = 1000"),
        std::string("tcp_keepalives_idle = 5"), std::string("tcp_keepalives_interval = 2"),
        std::string("tcp_keepalives_count = 3"),
        "tcp_user_timeout = " + std::to_string(3 * deadline.count())}) {
    if (!run(connection, "SET " + setting)) continue;  // not on this platform
  }
}

}  // namespace

Result<std::unique_ptr<OutboxStore>> open_outbox_store(const std::string& url,
                                                       const OriginName& origin, Millis deadline) {
  TRIBUTARY_ASSIGN(ConnectionHandle connection,
                   connect(url, "tributary-relay", settings(deadline), deadline));
  TRIBUTARY_ASSIGN(const int backend, check_direct(connection.get()));
  watch_client(connection.get(), deadline);
  // A seal that was published must not be lost: the same seqs would then name other changes.
  TRIBUTARY_TRY(run(connection.get(),
                    "SELECT set_config('synchronous_commit', 'on', false) "
                    "WHERE current_setting('synchronous_commit') = 'off'"));
  TRIBUTARY_ASSIGN(Pipeline pipeline, Pipeline::open(std::move(connection), deadline));
  return std::make_unique<Store>(std::move(pipeline), origin, url, backend);
}

}  // namespace tributary::postgres

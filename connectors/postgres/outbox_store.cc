#include <algorithm>

#include <libpq-fe.h>

#include <tributary/connectors/postgres/outbox_store.h>
#include <tributary/connectors/postgres/pipeline.h>
#include <tributary/connectors/postgres/schema_sql.h>
#include <tributary/connectors/postgres/seal.h>
#include <tributary/connectors/postgres/statements.h>
#include <tributary/connectors/postgres/vacuum.h>

namespace tributary::postgres {
namespace {

using Results = std::vector<ResultHandle>;

std::int64_t bigint_at(const PGresult* result, int row, int column) {
  return PQgetisnull(result, row, column) != 0 ? 0 : read_bigint(PQgetvalue(result, row, column));
}

std::uint64_t unsigned_at(const PGresult* result, int row, int column) {
  return static_cast<std::uint64_t>(bigint_at(result, row, column));
}

std::string text_at(const PGresult* result, int row, int column) {
  return {PQgetvalue(result, row, column),
          static_cast<std::size_t>(PQgetlength(result, row, column))};
}

std::optional<ActorId> actor_at(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return std::nullopt;
  return ActorId{unsigned_at(result, row, column)};
}

/// The second key of the advisory lock: FNV-1a of the name, the same in every version.
std::int64_t lease_key(const OriginName& origin) {
  std::uint32_t hash = 2166136261U;
  for (const char c : origin.value) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return static_cast<std::int32_t>(hash);
}

class Store final : public OutboxStore {
 public:
  Store(Pipeline pipeline, OriginName origin, std::string url)
      : pipeline_(std::move(pipeline)),
        origin_(std::move(origin)),
        seal_(pipeline_),
        vacuum_(std::move(url)) {}

  Result<OriginRecord> lead() override {
    TRIBUTARY_TRY(take_lease());
    pipeline_.queue(statements::kLead);
    TRIBUTARY_ASSIGN(const Results results, named(pipeline_.flush()));
    return read_origin(results[0].get());
  }

  Result<void> mint(ActorId actor) override {
    pipeline_.queue(statements::kBegin);
    pipeline_.queue(statements::kFence, Params().add(epoch_));
    pipeline_.queue(statements::kMint, Params().add(actor.value).add(identity_));
    pipeline_.queue(statements::kForgetCounters);
    TRIBUTARY_TRY(commit_queued());
    actor_ = actor;
    return {};
  }

  Result<void> release() override {
    if (!leased_ || pipeline_.dead()) return {};
    pipeline_.queue(statements::kDropLease, Params().add(lease_key(origin_)));
    leased_ = false;
    TRIBUTARY_TRY(named(pipeline_.flush()));
    return {};
  }

  Result<std::span<const OutboxRow>> begin_seal(SealLimit limit) override {
    return named(seal_.begin(epoch_, limit));
  }
  Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys) override {
    return named(seal_.load_totals(keys));
  }
  Result<void> commit_seal(const SealCommit& seal) override {
    const std::size_t rows = seal_.size();
    TRIBUTARY_TRY(named(seal_.commit(seal, actor_)));
    vacuum_.deleted(rows, !seal_.more());
    return {};
  }
  void abort_seal() override { seal_.abort(); }

  Result<std::vector<SealedBatch>> unconfirmed() override {
    pipeline_.queue(statements::kUnconfirmed);
    return read_batches();
  }

  Result<std::vector<SealedBatch>> retained(Seq after, std::size_t limit) override {
    pipeline_.queue(statements::kRetained,
                    Params().add(after.value).add(static_cast<std::uint64_t>(limit)));
    return read_batches();
  }

  Result<void> discard(std::span<const ConsumedRows> rows) override {
    ArrayParam transactions(SqlType::kBigint);
    ArrayParam first_ids(SqlType::kBigint);
    ArrayParam last_ids(SqlType::kBigint);
    ArrayParam hlcs(SqlType::kBigint);
    for (const ConsumedRows& each : rows) {
      transactions.add(each.transaction);
      first_ids.add(each.first_id);
      last_ids.add(each.last_id);
      hlcs.add(static_cast<std::int64_t>(each.hlc.value));
    }
    pipeline_.queue(statements::kBegin);
    pipeline_.queue(statements::kFence, Params().add(epoch_));
    pipeline_.queue(statements::kDiscard, Params()
                                              .add(transactions.finish())
                                              .add(first_ids.finish())
                                              .add(last_ids.finish())
                                              .add(hlcs.finish()));
    return commit_queued();
  }

  Result<void> confirm(ActorId actor, Seq seq, Micros retention) override {
    // A lost confirmation means that a batch is published again, which changes nothing.
    pipeline_.queue(statements::kBegin);
    pipeline_.queue(statements::kRelaxed);
    pipeline_.queue(statements::kFence, Params().add(epoch_));
    pipeline_.queue(statements::kForget, Params().add(std::int64_t{retention.count()}));
    pipeline_.queue(statements::kConfirm, Params().add(actor.value).add(seq.value));
    return commit_queued();
  }

  Result<void> set_context(const VersionVector& watermark, Hlc hlc) override {
    const std::string bytes = watermark.bytes();
    pipeline_.queue(statements::kBegin);
    pipeline_.queue(statements::kRelaxed);
    pipeline_.queue(statements::kSetContext, Params().add(bytes).add(hlc.value));
    return commit_queued();
  }

  Result<OutboxStatus> status() override {
    pipeline_.queue(statements::kStatus);
    TRIBUTARY_ASSIGN(const Results results, named(pipeline_.flush()));
    const PGresult* const row = results[0].get();
    if (PQntuples(row) == 0) return fail(no_origin());
    OutboxStatus status;
    status.actor = actor_at(row, 0, 0);
    status.head_seq = Seq{unsigned_at(row, 0, 1)};
    status.confirmed_seq = Seq{unsigned_at(row, 0, 2)};
    status.depth = unsigned_at(row, 0, 3);
    status.unconfirmed = unsigned_at(row, 0, 4);
    status.parked = unsigned_at(row, 0, 5);
    status.oldest = Micros{Hlc{unsigned_at(row, 0, 6)}.micros()};
    return status;
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
    pipeline_.queue(statements::kTryLease, Params().add(lease_key(origin_)));
    pipeline_.queue(statements::kLeaseHolder, Params().add(lease_key(origin_)));
    TRIBUTARY_ASSIGN(const Results results, named(pipeline_.flush()));
    leased_ = *PQgetvalue(results[0].get(), 0, 0) != 0;
    if (leased_) return {};
    const PGresult* const holder = results[1].get();
    return fail(ErrorKind::kConflict,
                "origin " + origin_.value + ": another relay holds the lease" +
                    (PQntuples(holder) > 0 ? " (" + text_at(holder, 0, 0) + ")" : ""));
  }

  Result<OriginRecord> read_origin(const PGresult* row) {
    if (PQntuples(row) == 0) return fail(no_origin());
    OriginRecord record{.name = {text_at(row, 0, 0)},
                        .actor = actor_at(row, 0, 1),
                        .identity = text_at(row, 0, 2),
                        .current_identity = text_at(row, 0, 3),
                        .head_seq = Seq{unsigned_at(row, 0, 4)},
                        .hlc = Hlc{unsigned_at(row, 0, 5)},
                        .leader_epoch = unsigned_at(row, 0, 6),
                        .confirmed_seq = Seq{unsigned_at(row, 0, 7)},
                        .totals_seq = Seq{unsigned_at(row, 0, 8)}};
    if (record.name != origin_) {
      return fail(ErrorKind::kFatal, "origin " + origin_.value +
                                         ": the database is the outbox of origin \"" +
                                         record.name.value + "\": correct the database URL");
    }
    if (bigint_at(row, 0, 9) > kSchemaVersion) {
      return fail(ErrorKind::kFatal, "origin " + origin_.value +
                                         ": the outbox tables are of a newer version: use a newer "
                                         "tributary");
    }
    epoch_ = record.leader_epoch;
    identity_ = record.current_identity;
    actor_ = record.actor.value_or(ActorId{});
    return record;
  }

  Result<void> commit_queued() {
    pipeline_.queue(statements::kCommit);
    auto done = named(pipeline_.flush());
    if (done) return {};
    if (!pipeline_.dead()) {
      pipeline_.queue(statements::kRollback);
      if (!pipeline_.flush()) pipeline_.close();
    }
    return fail(std::move(done).error());
  }

  Result<std::vector<SealedBatch>> read_batches() {
    TRIBUTARY_ASSIGN(const Results results, named(pipeline_.flush()));
    const PGresult* const result = results[0].get();
    std::vector<SealedBatch> batches;
    for (int row = 0; row < PQntuples(result); ++row) {
      batches.push_back({ActorId{unsigned_at(result, row, 0)}, Seq{unsigned_at(result, row, 1)},
                         Seq{unsigned_at(result, row, 2)}, text_at(result, row, 3)});
    }
    return batches;
  }

  Pipeline pipeline_;
  OriginName origin_;
  Seal seal_;
  Vacuum vacuum_;
  bool leased_ = false;
  std::uint64_t epoch_ = 0;
  std::string identity_;
  ActorId actor_;
};

/// Timeouts end a seal whose relay froze; SQL_ASCII passes text bytes on as they are.
std::string settings(Millis deadline) {
  const std::string timeout = std::to_string(deadline.count());
  return "-c client_encoding=SQL_ASCII -c enable_seqscan=off -c enable_hashjoin=off "
         "-c enable_mergejoin=off -c enable_bitmapscan=off -c enable_sort=off -c jit=off "
         "-c plan_cache_mode=force_generic_plan -c default_transaction_isolation=read\\ committed "
         "-c statement_timeout=" +
         timeout + " -c lock_timeout=" + timeout +
         " -c idle_in_transaction_session_timeout=" + std::to_string(3 * deadline.count());
}

}  // namespace

Result<std::unique_ptr<OutboxStore>> open_outbox_store(const std::string& url,
                                                       const OriginName& origin, Millis deadline) {
  TRIBUTARY_ASSIGN(ConnectionHandle connection,
                   connect(url, "tributary-relay", settings(deadline), deadline));
  // A seal that was published must not be lost: the same seqs would then name other changes.
  TRIBUTARY_TRY(run(connection.get(),
                    "SELECT set_config('synchronous_commit', 'on', false) "
                    "WHERE current_setting('synchronous_commit') = 'off'"));
  TRIBUTARY_ASSIGN(Pipeline pipeline, Pipeline::open(std::move(connection), deadline));
  return std::make_unique<Store>(std::move(pipeline), origin, url);
}

}  // namespace tributary::postgres

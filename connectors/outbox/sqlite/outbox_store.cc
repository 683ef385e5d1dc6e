#include "connectors/outbox/sqlite/outbox_store.h"

#include <algorithm>
#include <utility>

#include <sqlite3.h>

#include "connectors/outbox/sqlite/batches.h"
#include "connectors/outbox/sqlite/database.h"
#include "connectors/outbox/sqlite/lease.h"
#include "connectors/outbox/sqlite/origin_row.h"
#include "connectors/outbox/sqlite/parked.h"
#include "connectors/outbox/sqlite/place.h"
#include "connectors/outbox/sqlite/quiet.h"
#include "connectors/outbox/sqlite/resealing.h"
#include "connectors/outbox/sqlite/rules.h"
#include "connectors/outbox/sqlite/seal.h"
#include "connectors/outbox/sqlite/tellings.h"

namespace tributary::sqlite {
namespace {

constexpr std::size_t kDiscardedAtOnce = 256;

class Store final : public OutboxStore {
 public:
  Store(OpenDatabase database, OriginName origin)
      : connection_(std::move(database.connection)),
        file_(std::move(database.file)),
        origin_(std::move(origin)),
        lease_(file_.real_path()),
        fence_(connection_.get(), file_),
        quiet_(connection_.get()),
        told_(fence_, quiet_),
        seal_(fence_, quiet_, told_) {}

  Result<OriginRecord> lead() override {
    TRIBUTARY_TRY(named(lease_.take()));
    told_.clear();
    TRIBUTARY_TRY(named(use_write_ahead_log()));
    return named(take_lead(fence_, origin_, file_));
  }
  Result<void> mint(const Minting& minting) override {
    return named(sqlite::mint(fence_, minting));
  }
  Result<void> release() override {
    auto done = told_.flush();
    lease_.release();
    if (!done && done.error().kind == ErrorKind::kConflict) return {};  // another leads already
    return named(done);
  }

  Result<StoredSchema> schema() override { return named(read_rules()); }
  Result<std::vector<Keyspace>> keyspaces_ever() override {
    return named(read_keyspaces_ever(connection_.get()));
  }

  Result<std::span<const OutboxRow>> begin_seal(SealLimit limit) override {
    TRIBUTARY_TRY(named(file_.check_now_and_then()));
    TRIBUTARY_TRY(named(told_.settle()));
    return named(seal_.begin(limit));
  }
  Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys) override {
    return named(seal_.load_totals(keys));
  }
  Result<void> commit_seal(const SealCommit& seal) override { return named(seal_.commit(seal)); }
  void abort_seal() override { seal_.abort(); }

  Result<void> save_totals(std::span<const StoredTotals> totals, Seq totals_seq) override {
    return named(fence_.fenced([&]() -> Result<void> {
      TRIBUTARY_TRY(store_totals(fence_, totals));
      TRIBUTARY_ASSIGN(Statement origin,
                       fence_.prepare("UPDATE tributary_origin SET totals_seq = ?"));
      return origin.add(totals_seq.value).run();
    }));
  }

  Result<void> discard(std::span<const ConsumedRows> rows) override {
    do {
      const auto step = rows.first(std::min(rows.size(), kDiscardedAtOnce));
      TRIBUTARY_TRY(named(fence_.fenced([&] { return drop_consumed(fence_, step); })));
      rows = rows.subspan(step.size());
    } while (!rows.empty());
    return {};
  }
  Result<std::uint64_t> set_aside(std::string_view reason) override {
    return named(sqlite::set_aside(fence_, reason));
  }

  Result<std::vector<SealedBatch>> unconfirmed(std::int64_t after, SealLimit limit) override {
    TRIBUTARY_TRY(named(told_.flush()));
    auto page = named(unconfirmed_batches(fence_, after, limit));
    if (page && page->empty()) TRIBUTARY_TRY(named(fence_.check()));
    return page;
  }
  Result<std::vector<SealedBatch>> retained(Seq after, SealLimit limit) override {
    TRIBUTARY_TRY(named(told_.flush()));
    return named(retained_batches(fence_, after, limit));
  }
  Result<void> reseal(const Resealing& resealing) override {
    TRIBUTARY_TRY(named(told_.flush()));
    return named(sqlite::reseal(fence_, resealing));
  }
  Result<void> confirm(ActorId actor, Seq seq, Micros retention) override {
    TRIBUTARY_TRY(named(fence_.check()));
    told_.confirm(actor, seq, retention);
    return named(told_.settle());
  }
  Result<void> set_context(const WriterContext& context, Hlc hlc) override {
    TRIBUTARY_TRY(named(fence_.check()));
    TRIBUTARY_TRY(named(told_.context(context, hlc)));
    return named(told_.settle());
  }

  Result<OutboxStatus> status() override {
    TRIBUTARY_TRY(named(told_.flush()));
    return named(read_status());
  }
  Result<std::vector<WaitingRow>> waiting(std::int64_t after, std::size_t limit) override {
    return named(sqlite::waiting(fence_, after, limit));
  }
  Result<std::vector<ParkedChange>> parked(std::int64_t after, std::size_t limit) override {
    return named(sqlite::parked(fence_, after, limit));
  }
  Result<std::uint64_t> retry_parked(std::int64_t transaction) override {
    return named(sqlite::retry_parked(fence_, transaction));
  }
  Result<std::uint64_t> discard_parked(std::int64_t transaction) override {
    return named(sqlite::discard_parked(fence_, transaction));
  }
  Result<std::vector<DiscardRecord>> discarded(std::size_t limit) override {
    return named(sqlite::discarded(fence_, limit));
  }
  Result<void> seal_discarded(std::span<const DiscardRecord> told, const SealedBatch& batch,
                              Hlc hlc) override {
    return named(sqlite::seal_discarded(fence_, told, batch, hlc));
  }

 private:
  template <typename T>
  Result<T> named(Result<T> result) const {
    if (result) return result;
    return fail(result.error().in("origin " + origin_.value));
  }

  /// A backup that was put in place may have lost it.
  Result<void> use_write_ahead_log() {
    TRIBUTARY_ASSIGN(Statement mode, fence_.prepare("PRAGMA journal_mode = WAL"));
    TRIBUTARY_TRY(mode.step());
    const bool on = mode.bytes(0) == "wal";
    mode.reset();
    if (on) TRIBUTARY_TRY(check_version(connection_.get()));  // and has read, for quiet_
    quiet_.enable(on);
    return {};
  }

  Result<StoredSchema> read_rules() {
    StoredSchema stored;
    TRIBUTARY_ASSIGN(stored.schema, read_schema(connection_.get()));
    TRIBUTARY_ASSIGN(Statement row,
                     fence_.prepare("SELECT type, operation FROM tributary_operation"));
    while (true) {
      TRIBUTARY_ASSIGN(const bool found, row.step());
      if (!found) return stored;
      stored.operations.emplace_back(row.bytes(0), row.bytes(1));
    }
  }

  Result<OutboxStatus> read_status() {
    TRIBUTARY_ASSIGN(
        Statement row,
        fence_.prepare(
            "SELECT actor, head_seq, confirmed_seq, "
            "(SELECT count(*) FROM (SELECT 1 FROM tributary_outbox LIMIT 100001)), "
            "(SELECT coalesce(sum(changes), 0) FROM (SELECT last_seq - first_seq + 1 AS changes "
            " FROM tributary_batch WHERE confirmed_at IS NULL LIMIT 100001)), "
            "(SELECT count(*) FROM (SELECT 1 FROM tributary_parked LIMIT 100001)), "
            // By rows that name a time after 2019: one may have been changed by hand.
            "(SELECT min(at) FROM (SELECT (hlc >> 12) & 4503599627370495 AS at "
            " FROM tributary_outbox ORDER BY id LIMIT 100) WHERE at >= 1577836800000000), "
            "history, former_history FROM tributary_origin"));
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) return fail(no_origin());
    OutboxStatus status;
    if (!row.null(0)) status.actor = ActorId{row.unsigned_integer(0)};
    status.head_seq = Seq{row.unsigned_integer(1)};
    status.confirmed_seq = Seq{row.unsigned_integer(2)};
    status.depth = row.unsigned_integer(3);
    status.unconfirmed = row.unsigned_integer(4);
    status.parked = row.unsigned_integer(5);
    status.oldest = Micros{row.integer(6)};
    status.history = {row.unsigned_integer(7)};
    status.former_history = {row.unsigned_integer(8)};
    TRIBUTARY_ASSIGN(status.former, former_actors(fence_));
    return status;
  }

  ConnectionHandle connection_;
  OpenFile file_;
  OriginName origin_;
  Lease lease_;
  Fence fence_;
  QuietMoment quiet_;
  Tellings told_;
  Seal seal_;
};

}  // namespace

Result<std::unique_ptr<OutboxStore>> open_outbox_store(const std::string& url,
                                                       const OriginName& origin, Millis busy) {
  TRIBUTARY_ASSIGN(OpenDatabase database, open_present(url, busy));
  sqlite3* const connection = database.connection.get();
  // A seal that was published must not be lost: the same seqs would then name other changes.
  TRIBUTARY_TRY(execute(connection, "PRAGMA synchronous = FULL"));
  // Rows that are given back come as they were written, not as new ones.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  if (auto checked = check_version(connection); !checked) {
    Error error = std::move(checked).error();
    if (error.kind == ErrorKind::kInvalid) error.kind = ErrorKind::kFatal;
    return fail(error.in("SQLite file " + database.file.path()));
  }
  return std::make_unique<Store>(std::move(database), origin);
}

}  // namespace tributary::sqlite

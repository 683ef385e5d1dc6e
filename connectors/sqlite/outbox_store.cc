#include <utility>

#include <sqlite3.h>
#include <sys/stat.h>

#include <tributary/connectors/sqlite/database.h>
#include <tributary/connectors/sqlite/lease.h>
#include <tributary/connectors/sqlite/outbox_store.h>
#include <tributary/connectors/sqlite/schema_sql.h>
#include <tributary/connectors/sqlite/seal.h>

namespace tributary::sqlite {
namespace {

class Store final : public OutboxStore {
 public:
  Store(ConnectionHandle connection, OriginName origin, std::string path)
      : connection_(std::move(connection)),
        origin_(std::move(origin)),
        path_(std::move(path)),
        lease_(path_),
        seal_(connection_.get()) {}

  Result<OriginRecord> lead() override {
    TRIBUTARY_TRY(named(lease_.take()));
    TRIBUTARY_TRY(named(write([&] {
      return execute(db(), "UPDATE tributary_origin SET leader_epoch = leader_epoch + 1");
    })));
    return named(read_origin());
  }

  Result<void> mint(ActorId actor) override {
    auto done = named(fenced([&]() -> Result<void> {
      TRIBUTARY_ASSIGN(Statement origin,
                       prepare("UPDATE tributary_origin SET actor = ?, identity = ?, head_seq = 0, "
                               "confirmed_seq = 0, totals_seq = 0"));
      TRIBUTARY_TRY(origin.add(actor.value).add_text(identity_).run());
      return execute(db(), "DELETE FROM tributary_counter");
    }));
    if (done) actor_ = actor;
    return done;
  }

  Result<void> release() override {
    lease_.release();
    return {};
  }

  Result<std::span<const OutboxRow>> begin_seal(SealLimit limit) override {
    return named(seal_.begin(epoch_, limit));
  }
  Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys) override {
    return named(seal_.load_totals(keys));
  }
  Result<void> commit_seal(const SealCommit& seal) override {
    return named(seal_.commit(seal, epoch_, actor_, SystemClock().wall()));
  }
  void abort_seal() override { seal_.abort(); }

  Result<std::vector<SealedBatch>> unconfirmed() override {
    TRIBUTARY_ASSIGN(Statement row,
                     named(prepare("SELECT actor, first_seq, last_seq, bytes FROM tributary_batch "
                                   "WHERE confirmed_at IS NULL ORDER BY position")));
    return named(read_batches(row));
  }

  Result<std::vector<SealedBatch>> retained(Seq after, std::size_t limit) override {
    TRIBUTARY_ASSIGN(Statement row,
                     named(prepare("SELECT actor, first_seq, last_seq, bytes FROM tributary_batch "
                                   "WHERE actor = (SELECT actor FROM tributary_origin) "
                                   "AND first_seq > ? ORDER BY first_seq LIMIT ?")));
    row.add(after.value).add(static_cast<std::uint64_t>(limit));
    return named(read_batches(row));
  }

  Result<void> discard(std::span<const ConsumedRows> rows) override {
    return named(fenced([&]() -> Result<void> {
      TRIBUTARY_ASSIGN(Statement row,
                       prepare("DELETE FROM tributary_outbox WHERE id BETWEEN ?1 AND ?2 "
                               "AND transaction_id = ?3 AND EXISTS (SELECT 1 FROM "
                               "tributary_outbox WHERE id = ?1 AND transaction_id = ?3 "
                               "AND hlc = ?4)"));
      for (const ConsumedRows& each : rows) {
        row.reset();
        row.add(each.first_id).add(each.last_id).add(each.transaction);
        TRIBUTARY_TRY(row.add(each.hlc.value).run());
      }
      return {};
    }));
  }

  Result<void> confirm(ActorId actor, Seq seq, Micros retention) override {
    // A lost confirmation means that a batch is published again, which changes nothing.
    return named(relaxed([&] {
      return fenced([&]() -> Result<void> {
        const std::int64_t now = SystemClock().wall().count();
        TRIBUTARY_TRY(forget(now - retention.count()));
        TRIBUTARY_ASSIGN(Statement batches,
                         prepare("UPDATE tributary_batch SET confirmed_at = ? "
                                 "WHERE confirmed_at IS NULL AND actor = ? AND last_seq <= ?"));
        TRIBUTARY_TRY(batches.add(now).add(actor.value).add(seq.value).run());
        TRIBUTARY_ASSIGN(Statement origin,
                         prepare("UPDATE tributary_origin SET "
                                 "confirmed_seq = max(confirmed_seq, ?) WHERE actor = ?"));
        return origin.add(seq.value).add(actor.value).run();
      });
    }));
  }

  Result<void> set_context(const VersionVector& watermark, Hlc hlc) override {
    const std::string bytes = watermark.bytes();
    return named(relaxed([&] {
      return write([&]() -> Result<void> {
        TRIBUTARY_ASSIGN(Statement context,
                         prepare("UPDATE tributary_context SET watermark = ?, hlc = ?"));
        return context.add_blob(bytes).add(hlc.value).run();
      });
    }));
  }

  Result<OutboxStatus> status() override {
    TRIBUTARY_ASSIGN(
        Statement row,
        named(prepare("SELECT actor, head_seq, confirmed_seq, "
                      "(SELECT count(*) FROM tributary_outbox), "
                      "(SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM tributary_batch "
                      " WHERE confirmed_at IS NULL), "
                      "(SELECT count(*) FROM tributary_parked), "
                      "(SELECT hlc FROM tributary_outbox ORDER BY id LIMIT 1) "
                      "FROM tributary_origin")));
    TRIBUTARY_ASSIGN(const bool found, named(row.step()));
    if (!found) return named(Result<OutboxStatus>(fail(no_origin())));
    OutboxStatus status;
    if (!row.null(0)) status.actor = ActorId{row.unsigned_integer(0)};
    status.head_seq = Seq{row.unsigned_integer(1)};
    status.confirmed_seq = Seq{row.unsigned_integer(2)};
    status.depth = row.unsigned_integer(3);
    status.unconfirmed = row.unsigned_integer(4);
    status.parked = row.unsigned_integer(5);
    status.oldest = Micros{Hlc{row.unsigned_integer(6)}.micros()};
    return status;
  }

 private:
  [[nodiscard]] sqlite3* db() const { return connection_.get(); }
  Result<Statement> prepare(std::string_view sql) { return Statement::prepare(db(), sql); }

  template <typename T>
  Result<T> named(Result<T> result) const {
    if (result) return result;
    return fail(result.error().in("origin " + origin_.value));
  }

  static Error no_origin() {
    return Error{ErrorKind::kFatal, "the database has no origin: run `tributary topology apply`"};
  }

  /// Runs `body` in a write transaction of its own.
  Result<void> write(auto body) {
    TRIBUTARY_TRY(execute(db(), "BEGIN IMMEDIATE"));
    Result<void> done = body();
    if (done) done = execute(db(), "COMMIT");
    if (!done && sqlite3_get_autocommit(db()) == 0) {
      static_cast<void>(execute(db(), "ROLLBACK"));  // the first error is the one to tell
    }
    return done;
  }

  /// write(), unless another relay leads.
  Result<void> fenced(auto body) {
    return write([&]() -> Result<void> {
      TRIBUTARY_ASSIGN(Statement origin, prepare("SELECT leader_epoch FROM tributary_origin"));
      TRIBUTARY_ASSIGN(const bool found, origin.step());
      if (!found || origin.unsigned_integer(0) != epoch_) {
        return fail(ErrorKind::kConflict, "another relay leads this origin now");
      }
      origin.reset();
      return body();
    });
  }

  /// For what may be lost when the power fails, because it is told again: saves the disk sync.
  Result<void> relaxed(auto body) {
    TRIBUTARY_TRY(execute(db(), "PRAGMA synchronous = NORMAL"));
    Result<void> done = body();
    if (auto restored = execute(db(), "PRAGMA synchronous = FULL"); done && !restored) {
      return restored;
    }
    return done;
  }

  /// A bounded number of batches confirmed before `until`, whose totals are stored.
  Result<void> forget(std::int64_t until) {
    TRIBUTARY_ASSIGN(Statement old,
                     prepare("DELETE FROM tributary_batch WHERE position IN ("
                             "SELECT b.position FROM tributary_batch b, tributary_origin o "
                             "WHERE b.confirmed_at IS NOT NULL AND b.confirmed_at <= ? "
                             "AND (b.actor IS NOT o.actor OR b.last_seq <= o.totals_seq) "
                             "ORDER BY b.confirmed_at LIMIT 256)"));
    return old.add(until).run();
  }

  Result<std::vector<SealedBatch>> read_batches(Statement& row) {
    std::vector<SealedBatch> batches;
    while (true) {
      TRIBUTARY_ASSIGN(const bool found, row.step());
      if (!found) return batches;
      batches.push_back({ActorId{row.unsigned_integer(0)}, Seq{row.unsigned_integer(1)},
                         Seq{row.unsigned_integer(2)}, std::string(row.bytes(3))});
    }
  }

  Result<OriginRecord> read_origin() {
    TRIBUTARY_ASSIGN(Statement row,
                     prepare("SELECT name, actor, identity, generation, head_seq, hlc, "
                             "leader_epoch, confirmed_seq, totals_seq, schema_version "
                             "FROM tributary_origin"));
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) return fail(no_origin());
    if (row.bytes(0) != origin_.value) {
      return fail(ErrorKind::kFatal, "the database is the outbox of origin \"" +
                                         std::string(row.bytes(0)) + "\": correct the URL");
    }
    if (row.integer(9) > kSchemaVersion) {
      return fail(ErrorKind::kFatal,
                  "the outbox tables are of a newer version: use a newer tributary");
    }
    OriginRecord record{.name = origin_,
                        .actor = std::nullopt,
                        .identity = std::string(row.bytes(2)),
                        .current_identity = file_identity() + ":" + std::string(row.bytes(3)),
                        .head_seq = Seq{row.unsigned_integer(4)},
                        .hlc = Hlc{row.unsigned_integer(5)},
                        .leader_epoch = row.unsigned_integer(6),
                        .confirmed_seq = Seq{row.unsigned_integer(7)},
                        .totals_seq = Seq{row.unsigned_integer(8)}};
    if (!row.null(1)) record.actor = ActorId{row.unsigned_integer(1)};
    epoch_ = record.leader_epoch;
    identity_ = record.current_identity;
    actor_ = record.actor.value_or(ActorId{});
    return record;
  }

  /// A copy of the file has another inode.
  [[nodiscard]] std::string file_identity() const {
    struct stat info {};
    if (stat(path_.c_str(), &info) != 0) return "unknown";
    return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  }

  ConnectionHandle connection_;
  OriginName origin_;
  std::string path_;
  Lease lease_;
  Seal seal_;
  std::uint64_t epoch_ = 0;
  std::string identity_;
  ActorId actor_;
};

}  // namespace

Result<std::unique_ptr<OutboxStore>> open_outbox_store(const std::string& url,
                                                       const OriginName& origin, Millis busy) {
  TRIBUTARY_ASSIGN(ConnectionHandle connection, open_database(url, false, busy));
  // A seal that was published must not be lost: the same seqs would then name other changes.
  TRIBUTARY_TRY(execute(connection.get(), "PRAGMA synchronous = FULL"));
  TRIBUTARY_TRY(
      Statement::prepare(connection.get(), "SELECT schema_version FROM tributary_origin"));
  return std::make_unique<Store>(std::move(connection), origin, path_of(url));
}

}  // namespace tributary::sqlite

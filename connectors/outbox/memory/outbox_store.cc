#include "connectors/outbox/memory/outbox_store.h"

#include <algorithm>

#include "base/check.h"
#include "connectors/outbox/memory/outbox_disk.h"
#include "connectors/outbox/memory/outbox_reading.h"

namespace tributary::memory {
namespace {

constexpr std::size_t kForgottenAtOnce = 256;

class Store final : public OutboxStore {
 public:
  explicit Store(std::shared_ptr<OutboxShared> shared) : link_(std::move(shared)) {}
  ~Store() override { drop_lease(); }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  Result<OriginRecord> lead() override {
    return link_.call("lead", [&]() -> Result<OriginRecord> {
      const void*& holder = link_.shared().lease_holder;
      if (holder != nullptr && holder != this) {
        return fail(ErrorKind::kConflict, "another relay holds the lease");
      }
      holder = this;
      OriginRecord record = disk().origin;
      record.leader_epoch = ++disk().origin.leader_epoch;
      record.current_identity = disk().identity;
      record.context_hlc = disk().replica_hlc;
      record.told = disk().told;
      stamp();
      return record;
    });
  }

  Result<void> mint(const Minting& minting) override {
    return fenced("mint", [&]() -> Result<void> {
      OriginRecord& origin = disk().origin;
      for (const FormerActor& each : minting.former) remember(origin.former, each);
      origin.actor = minting.actor;
      origin.identity = disk().identity;
      origin.hlc = std::max(origin.hlc, minting.hlc);
      origin.head_seq = origin.confirmed_seq = origin.totals_seq = Seq{};
      origin.history = {};
      origin.former_history = minting.former_history;
      disk().counters.clear();
      return {};
    });
  }

  Result<void> release() override {
    drop_lease();
    return {};
  }

  Result<StoredSchema> schema() override {
    return link_.call("schema", [&]() -> Result<StoredSchema> {
      StoredSchema stored{disk().schema, disk().operations};
      for (const crdt::Type* type : crdt::types()) {
        for (const crdt::Operation& operation : type->operations) {
          stored.operations.emplace_back(type->name, operation.name);
        }
      }
      return stored;
    });
  }

  Result<std::vector<Keyspace>> keyspaces_ever() override {
    return link_.call("keyspaces_ever",
                      [&]() -> Result<std::vector<Keyspace>> { return disk().keyspaces_ever; });
  }

  Result<std::span<const OutboxRow>> begin_seal(SealLimit limit) override {
    CHECK(taken_.empty() && limit.rows > 0);
    using Rows = std::span<const OutboxRow>;
    return checked("begin_seal", [&]() -> Result<Rows> {
      SealLimit wider = limit;
      while (!take(disk(), wider, taken_) && taken_.empty())
        wider = {wider.rows * 2, wider.bytes * 2};
      for (const StoredRow& row : taken_) rows_.push_back(row.view());
      return Rows(rows_);
    });
  }

  Result<std::vector<StoredTotals>> load_totals(std::span<const TotalsKey> keys) override {
    return link_.call("load_totals", [&]() -> Result<std::vector<StoredTotals>> {
      std::vector<StoredTotals> totals;
      for (const TotalsKey& key : keys) {
        const auto at = disk().counters.find({std::string(key.key), std::string(key.field)});
        if (at == disk().counters.end()) continue;
        totals.push_back({at->first.first, at->first.second, at->second});
      }
      return totals;
    });
  }

  Result<void> commit_seal(const SealCommit& seal) override {
    CHECK(!taken_.empty());
    auto done = fenced("commit_seal", [&]() -> Result<void> {
      for (const StoredRow& row : taken_) {
        if (std::ranges::find(seal.left, row.id) != seal.left.end()) continue;
        CHECK(disk().rows.erase(row.id) == 1);
      }
      end_number();
      park(seal.parked);
      for (const SealedBatch& batch : seal.batches) disk().store(batch);
      disk().origin.hlc = seal.hlc;
      for (const StoredTotals& each : seal.totals) {
        disk().counters[{each.key, each.field}] = each.totals;
      }
      if (seal.totals_seq) disk().origin.totals_seq = *seal.totals_seq;
      return {};
    });
    abort_seal();
    return done;
  }

  void abort_seal() override {
    taken_.clear();
    rows_.clear();
  }

  Result<void> save_totals(std::span<const StoredTotals> totals, Seq totals_seq) override {
    return fenced("save_totals", [&]() -> Result<void> {
      for (const StoredTotals& each : totals) {
        disk().counters[{each.key, each.field}] = each.totals;
      }
      disk().origin.totals_seq = totals_seq;
      return {};
    });
  }

  Result<void> discard(std::span<const ConsumedRows> rows) override {
    return fenced("discard", [&]() -> Result<void> {
      for (const ConsumedRows& each : rows) drop_consumed(disk(), each);
      return {};
    });
  }

  Result<std::uint64_t> set_aside(std::string_view reason) override {
    return fenced("set_aside", [&]() -> Result<std::uint64_t> {
      end_number();
      std::uint64_t count = disk().rows.size();
      for (ParkedStoredRow& each : disk().parked) {
        if (each.reason.starts_with(reason)) continue;
        ++count;
        each.reason = std::string(reason) + "; parked before: " + each.reason;
      }
      for (const auto& [id, row] : disk().rows) put_aside(row, reason);
      disk().rows.clear();
      return count;
    });
  }

  Result<std::vector<SealedBatch>> unconfirmed(std::int64_t after, SealLimit limit) override {
    const auto some = [&]() -> Result<std::vector<SealedBatch>> {
      return page(disk(), limit, [&](const StoredBatch& each) {
        return !each.confirmed_at && each.batch.position > after;
      });
    };
    auto read = link_.call("unconfirmed", some);
    return read && read->empty() ? checked("unconfirmed", some) : read;
  }

  Result<std::vector<SealedBatch>> retained(Seq after, SealLimit limit) override {
    return link_.call("retained", [&]() -> Result<std::vector<SealedBatch>> {
      return page(disk(), limit, [&](const StoredBatch& each) {
        return disk().origin.actor == each.batch.actor && each.batch.first_seq > after;
      });
    });
  }

  Result<void> reseal(const Resealing& resealing) override {
    return fenced("reseal", [&]() -> Result<void> {
      const auto gone = std::erase_if(disk().batches, [&](const StoredBatch& each) {
        return each.batch.position == resealing.position && !each.confirmed_at;
      });
      if (gone != 1) return fail(ErrorKind::kConflict, "the batch to seal anew is not there");
      for (const SealedBatch& batch : resealing.batches) disk().store(batch);
      disk().origin.hlc = std::max(disk().origin.hlc, resealing.hlc);
      for (const UnsealedRow& row : resealing.parked) put_aside(stored_row(row), resealing.reason);
      return {};
    });
  }

  Result<void> confirm(ActorId actor, Seq seq, Micros retention) override {
    return fenced("confirm", [&]() -> Result<void> {
      const Micros now = link_.shared().clock.wall();
      forget(now - retention);
      for (StoredBatch& each : disk().batches) {
        if (each.confirmed_at || each.batch.actor != actor || each.batch.last_seq > seq) continue;
        each.confirmed_at = now;
      }
      OriginRecord& origin = disk().origin;
      if (origin.actor == actor) origin.confirmed_seq = std::max(origin.confirmed_seq, seq);
      return {};
    });
  }

  Result<void> set_context(const WriterContext& context, Hlc hlc) override {
    return fenced("set_context", [&]() -> Result<void> {
      if (std::string bytes = context.bytes(); *disk().context != bytes) {
        disk().context = std::make_shared<const std::string>(std::move(bytes));
      }
      disk().told.join(context.watermark());
      if (hlc <= kMaxHlc) disk().replica_hlc = std::max(disk().replica_hlc, hlc);
      return {};
    });
  }

  Result<OutboxStatus> status() override {
    return link_.call("status", [&]() -> Result<OutboxStatus> {
      const OutboxDisk& at = disk();
      OutboxStatus status;
      status.actor = at.origin.actor;
      status.head_seq = at.origin.head_seq;
      status.history = at.origin.history;
      status.former_history = at.origin.former_history;
      status.confirmed_seq = at.origin.confirmed_seq;
      status.depth = std::min(at.rows.size(), OutboxStatus::kMostCounted + 1);
      for (const StoredBatch& each : at.batches) {
        if (each.confirmed_at) continue;
        status.unconfirmed += each.batch.last_seq.value - each.batch.first_seq.value + 1;
      }
      status.parked = std::min(at.parked.size(), OutboxStatus::kMostCounted + 1);
      if (!at.rows.empty()) {
        status.oldest = Micros{static_cast<std::int64_t>(at.rows.begin()->second.hlc.micros())};
      }
      status.former = at.origin.former;
      return status;
    });
  }

  Result<std::vector<WaitingRow>> waiting(std::int64_t after, std::size_t limit) override {
    return link_.call("waiting", [&]() -> Result<std::vector<WaitingRow>> {
      std::vector<WaitingRow> some;
      const auto& rows = disk().rows;
      for (auto row = rows.upper_bound(after); row != rows.end() && some.size() < limit; ++row) {
        some.push_back({row->first, row->second.key, row->second.type});
      }
      return some;
    });
  }

  Result<std::vector<ParkedChange>> parked(std::int64_t after, std::size_t limit) override {
    return link_.call("parked", [&]() -> Result<std::vector<ParkedChange>> {
      std::vector<ParkedChange> some;
      for (const ParkedStoredRow& each : disk().parked) {
        if (each.position <= after || some.size() == limit) continue;
        const StoredRow& row = each.row;
        some.push_back({each.position, row.transaction, row.key, row.type, row.operation, row.field,
                        row.value, row.amount, row.hlc, each.reason, each.parked_at});
      }
      return some;
    });
  }

  Result<std::uint64_t> retry_parked(std::int64_t transaction) override {
    return link_.call("retry_parked", [&]() -> Result<std::uint64_t> {
      end_number();
      return take_parked(transaction, [&](StoredRow row) {
        row.written_id = row.first_id();
        row.id = disk().next_id++;
        disk().rows.emplace(row.id, std::move(row));
      });
    });
  }

  Result<std::uint64_t> discard_parked(std::int64_t transaction) override {
    return link_.call("discard_parked", [&]() -> Result<std::uint64_t> {
      return take_parked(transaction, [&](const StoredRow& row) {
        disk().discarded.push_back(
            {disk().next_position++, {row.transaction, row.first_id(), row.first_id(), row.tag}});
      });
    });
  }

  Result<std::vector<DiscardRecord>> discarded(std::size_t limit) override {
    return link_.call("discarded", [&]() -> Result<std::vector<DiscardRecord>> {
      const auto& all = disk().discarded;
      const auto count = static_cast<std::ptrdiff_t>(std::min(limit, all.size()));
      return std::vector<DiscardRecord>(all.begin(), all.begin() + count);
    });
  }

  Result<void> seal_discarded(std::span<const DiscardRecord> told, const SealedBatch& batch,
                              Hlc hlc) override {
    return fenced("seal_discarded", [&]() -> Result<void> {
      std::erase_if(disk().discarded,
                    [&](const auto& each) { return std::ranges::find(told, each) != told.end(); });
      disk().store(batch);
      disk().origin.hlc = hlc;
      return {};
    });
  }

 private:
  [[nodiscard]] OutboxDisk& disk() const { return link_.disk(); }

  /// call(), unless another store leads.
  template <typename Body>
  auto checked(std::string_view operation, Body body) -> decltype(body()) {
    return link_.call(operation, [&]() -> decltype(body()) {
      if (known_ == disk().lead()) return body();
      return fail(ErrorKind::kConflict,
                  "another relay leads this origin now, or the database was put back");
    });
  }

  /// The same for a write.
  template <typename Body>
  auto fenced(std::string_view operation, Body body) -> decltype(body()) {
    return checked(operation, [&]() -> decltype(body()) {
      auto done = body();
      if (done) stamp();
      return done;
    });
  }

  void stamp() {
    disk().stamp = ++link_.shared().stamps;
    known_ = disk().lead();
  }

  /// Whoever writes next is of another transaction than the rows that are there.
  void end_number() { disk().next_transaction += disk().shared_numbers ? 1 : 0; }

  static void remember(std::vector<FormerActor>& all, const FormerActor& former) {
    const auto known = std::ranges::find(all, former.actor, &FormerActor::actor);
    if (known == all.end()) all.push_back(former);
    else known->final_seq = former.final_seq;
  }

  void put_aside(const StoredRow& row, std::string_view reason) {
    disk().parked.push_back(
        {disk().next_position++, row, std::string(reason), link_.shared().clock.wall()});
  }

  Result<std::uint64_t> take_parked(std::int64_t transaction, auto put) {
    std::uint64_t count = 0;
    std::erase_if(disk().parked, [&](const ParkedStoredRow& each) {
      if (each.row.transaction != transaction) return false;
      put(each.row);
      return ++count > 0;
    });
    if (count > 0) return count;
    return fail(ErrorKind::kInvalid,
                "nothing is parked of transaction " + std::to_string(transaction));
  }

  void park(std::span<const ParkedRow> parked) {
    for (const ParkedRow& each : parked) {
      const auto row = std::ranges::find(taken_, each.id, &StoredRow::id);
      CHECK(row != taken_.end());
      put_aside(*row, each.reason);
    }
  }

  void forget(Micros until) {
    const OriginRecord& origin = disk().origin;
    std::size_t forgotten = 0;
    std::erase_if(disk().batches, [&](const StoredBatch& each) {
      const bool covered =
          origin.actor != each.batch.actor || each.batch.last_seq <= origin.totals_seq;
      return each.confirmed_at && *each.confirmed_at <= until && covered &&
             ++forgotten <= kForgottenAtOnce;
    });
  }

  void drop_lease() {
    const std::lock_guard lock(link_.shared().mutex);
    if (link_.shared().lease_holder == this) link_.shared().lease_holder = nullptr;
  }

  OutboxLink link_;
  OutboxLead known_;
  std::vector<StoredRow> taken_;
  std::vector<OutboxRow> rows_;
};

}  // namespace

MemoryOutbox::MemoryOutbox(OriginName origin, Schema schema, const Clock& clock)
    : shared_(std::make_shared<OutboxShared>(clock)) {
  apply(std::move(schema));
  shared_->disk.origin.name = std::move(origin);
  shared_->disk.identity = "memory:0";
}

std::unique_ptr<OutboxStore> MemoryOutbox::open_store() {
  const std::lock_guard lock(shared_->mutex);
  return std::make_unique<Store>(shared_);
}

}  // namespace tributary::memory

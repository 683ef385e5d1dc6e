#include <algorithm>
#include <set>

#include <tributary/base/check.h>
#include <tributary/connectors/memory/outbox_disk.h>
#include <tributary/connectors/memory/outbox_store.h>

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
      epoch_ = ++disk().origin.leader_epoch;
      OriginRecord record = disk().origin;
      record.current_identity = disk().identity;
      return record;
    });
  }

  Result<void> mint(ActorId actor) override {
    return fenced("mint", [&]() -> Result<void> {
      OriginRecord& origin = disk().origin;
      origin.actor = actor;
      origin.identity = disk().identity;
      origin.head_seq = origin.confirmed_seq = origin.totals_seq = Seq{};
      disk().counters.clear();
      return {};
    });
  }

  Result<void> release() override {
    drop_lease();
    return {};
  }

  Result<std::span<const OutboxRow>> begin_seal(SealLimit limit) override {
    CHECK(taken_.empty() && limit.rows > 0);
    using Rows = std::span<const OutboxRow>;
    return fenced("begin_seal", [&]() -> Result<Rows> {
      SealLimit wider = limit;
      while (!take(wider) && taken_.empty()) wider = {wider.rows * 2, wider.bytes * 2};
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
      for (const StoredRow& row : taken_) CHECK(disk().rows.erase(row.id) == 1);
      park(seal.parked);
      if (seal.batch) {
        disk().origin.head_seq = seal.batch->last_seq;
        disk().batches.push_back({*seal.batch, std::nullopt});
      }
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

  Result<void> discard(std::span<const ConsumedRows> rows) override {
    return fenced("discard", [&]() -> Result<void> {
      for (const ConsumedRows& each : rows) {
        const auto first = disk().rows.find(each.first_id);
        if (first == disk().rows.end() || first->second.transaction != each.transaction ||
            first->second.hlc != each.hlc) {
          continue;
        }
        std::erase_if(disk().rows, [&](const auto& entry) {
          return entry.first >= each.first_id && entry.first <= each.last_id &&
                 entry.second.transaction == each.transaction;
        });
      }
      return {};
    });
  }

  Result<std::vector<SealedBatch>> unconfirmed() override {
    return link_.call("unconfirmed", [&]() -> Result<std::vector<SealedBatch>> {
      std::vector<SealedBatch> batches;
      for (const StoredBatch& each : disk().batches) {
        if (!each.confirmed_at) batches.push_back(each.batch);
      }
      return batches;
    });
  }

  Result<std::vector<SealedBatch>> retained(Seq after, std::size_t limit) override {
    return link_.call("retained", [&]() -> Result<std::vector<SealedBatch>> {
      std::vector<SealedBatch> batches;
      for (const StoredBatch& each : disk().batches) {
        if (batches.size() == limit) break;
        if (disk().origin.actor != each.batch.actor || each.batch.first_seq <= after) continue;
        batches.push_back(each.batch);
      }
      return batches;
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

  Result<void> set_context(const VersionVector& watermark, Hlc hlc) override {
    return link_.call("set_context", [&]() -> Result<void> {
      disk().watermark = watermark;
      disk().replica_hlc = hlc;
      return {};
    });
  }

  Result<OutboxStatus> status() override {
    return link_.call("status", [&]() -> Result<OutboxStatus> {
      const OutboxDisk& at = disk();
      OutboxStatus status;
      status.actor = at.origin.actor;
      status.head_seq = at.origin.head_seq;
      status.confirmed_seq = at.origin.confirmed_seq;
      status.depth = at.rows.size();
      for (const StoredBatch& each : at.batches) {
        if (each.confirmed_at) continue;
        status.unconfirmed += each.batch.last_seq.value - each.batch.first_seq.value + 1;
      }
      status.parked = at.parked.size();
      if (!at.rows.empty()) status.oldest = Micros{at.rows.begin()->second.hlc.micros()};
      return status;
    });
  }

 private:
  [[nodiscard]] OutboxDisk& disk() const { return link_.disk(); }

  /// call(), unless another store leads.
  template <typename Body>
  auto fenced(std::string_view operation, Body body) -> decltype(body()) {
    return link_.call(operation, [&]() -> decltype(body()) {
      if (disk().origin.leader_epoch != epoch_ || epoch_ == 0) {
        return fail(ErrorKind::kConflict, "another relay leads this origin now");
      }
      return body();
    });
  }

  /// Copies the transactions that lie within the first `limit` rows; true when that is all rows.
  bool take(SealLimit limit) {
    taken_.clear();
    std::size_t fitting = 0;
    std::size_t bytes = 0;
    for (const auto& [id, row] : disk().rows) {
      if (fitting == limit.rows || bytes >= limit.bytes) break;
      bytes += row.value.size();
      ++fitting;
    }
    std::set<std::int64_t> beyond;
    std::size_t seen = 0;
    for (const auto& [id, row] : disk().rows) {
      if (seen++ >= fitting) beyond.insert(row.transaction);
    }
    seen = 0;
    for (const auto& [id, row] : disk().rows) {
      if (seen++ >= fitting) return false;
      if (!beyond.contains(row.transaction)) taken_.push_back(row);
    }
    return true;
  }

  void park(std::span<const ParkedRow> parked) {
    for (const ParkedRow& each : parked) {
      const auto row = std::ranges::find(taken_, each.id, &StoredRow::id);
      CHECK(row != taken_.end());
      disk().parked.emplace_back(*row, each.reason);
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
    const void*& holder = link_.shared().lease_holder;
    if (holder == this) holder = nullptr;
  }

  OutboxLink link_;
  std::uint64_t epoch_ = 0;
  std::vector<StoredRow> taken_;
  std::vector<OutboxRow> rows_;
};

}  // namespace

MemoryOutbox::MemoryOutbox(OriginName origin, Schema schema, const Clock& clock)
    : shared_(std::make_shared<OutboxShared>(clock)) {
  shared_->disk.schema = std::move(schema);
  shared_->disk.origin.name = std::move(origin);
  shared_->disk.identity = "memory:0";
}

std::unique_ptr<OutboxStore> MemoryOutbox::open_store() {
  const std::lock_guard lock(shared_->mutex);
  return std::make_unique<Store>(shared_);
}

void MemoryOutbox::set_fault(Fault fault) {
  const std::lock_guard lock(shared_->mutex);
  shared_->fault = std::move(fault);
}

void MemoryOutbox::disconnect_all() {
  const std::lock_guard lock(shared_->mutex);
  ++shared_->incarnation;
  shared_->lease_holder = nullptr;
}

OutboxBackup MemoryOutbox::backup() const {
  const std::lock_guard lock(shared_->mutex);
  return OutboxBackup(std::make_shared<const OutboxDisk>(shared_->disk));
}

void MemoryOutbox::restore(const OutboxBackup& backup, bool noticed) {
  disconnect_all();
  const std::lock_guard lock(shared_->mutex);
  const std::string identity = shared_->disk.identity;
  shared_->disk = backup.disk();
  shared_->disk.identity = noticed ? "memory:" + std::to_string(++shared_->identities) : identity;
}

}  // namespace tributary::memory

#include <algorithm>
#include <limits>

#include "connectors/outbox/memory/outbox_disk.h"

namespace tributary::memory {
namespace {

using CounterKey = std::pair<std::string, std::string>;

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

void add_saturating(crdt::Totals& totals, std::int64_t amount) {
  if (accumulate(totals, amount)) return;
  (amount >= 0 ? totals.increments : totals.decrements) = kMax;
}

bool huge(std::int64_t amount) { return amount >= kNearOverflow || amount <= -kNearOverflow; }

/// Rows get their ids when they are inserted and appear when their transaction commits, as in a
/// real database.
class Session final : public ProducerSession, public OutboxConnection {
 public:
  explicit Session(std::shared_ptr<OutboxShared> shared)
      : link_(std::move(shared)), schema_(link_.disk().schema) {}

  Result<void> begin() override {
    return link_.call("begin", [&]() -> Result<void> {
      if (transaction_ != 0) return fail(ErrorKind::kInvalid, "a transaction is open already");
      transaction_ = link_.disk().next_transaction;
      if (!link_.disk().shared_numbers) ++link_.disk().next_transaction;
      return {};
    });
  }

  OutboxConnection& outbox() override { return *this; }

  Result<bool> rollback() override {
    rows_.clear();
    return std::exchange(transaction_, 0) != 0;
  }

  const Schema& schema() const override { return schema_; }

  Result<std::vector<std::pair<CounterKey, crdt::Totals>>> near_overflow(
      std::span<const CounterKey> keys) override {
    using Near = std::vector<std::pair<CounterKey, crdt::Totals>>;
    return link_.call("near_overflow", [&]() -> Result<Near> {
      Near near;
      for (const CounterKey& key : keys) {
        const crdt::Totals totals = totals_of(key);
        if (std::max(totals.increments, totals.decrements) >= kNearOverflow) {
          near.emplace_back(key, totals);
        }
      }
      return near;
    });
  }

  Result<void> insert(std::span<const Change> changes) override {
    return link_.call("insert", [&]() -> Result<void> {
      if (transaction_ == 0) {
        return fail(ErrorKind::kInvalid, "no transaction is open: begin() first");
      }
      std::vector<StoredRow> rows;
      const Hlc hlc = now();
      for (const Change& change : changes) {
        TRIBUTARY_ASSIGN(StoredRow row, row_of(change));
        row.hlc = hlc;
        rows.push_back(std::move(row));
      }
      for (StoredRow& row : rows) {
        row.id = link_.disk().next_id++;
        row.tag = ++link_.shared().tags;
        rows_.push_back(std::move(row));
      }
      return {};
    });
  }

  Result<void> commit() override {
    auto done = link_.call("commit", [&]() -> Result<void> {
      if (transaction_ == 0) return fail(ErrorKind::kInvalid, "no transaction is open");
      for (StoredRow& row : rows_) link_.disk().rows.emplace(row.id, std::move(row));
      return {};
    });
    transaction_ = 0;
    rows_.clear();
    return done;
  }

 private:
  Result<StoredRow> row_of(const Change& change) const {
    const crdt::Type* type = crdt::find_type(change.type);
    const crdt::Operation* operation =
        type == nullptr ? nullptr : crdt::find_operation(*type, change.operation);
    const OutboxDisk& disk = link_.disk();
    // A newer version may have made the tables, and write by them.
    const std::pair newer(change.type, change.operation);
    const bool known = operation != nullptr || std::ranges::count(disk.operations, newer) > 0;
    if (!known || change.key.empty() || change.key.find('\0') != std::string::npos) {
      return fail(ErrorKind::kInvalid, "key \"" + change.key + "\", type \"" + change.type +
                                           "\", operation \"" + change.operation +
                                           "\" is no legal change");
    }
    StoredRow row{0,
                  transaction_,
                  change.key,
                  change.type,
                  change.operation,
                  change.field,
                  change.value,
                  change.amount,
                  {},
                  false,
                  {},
                  0,
                  0};
    if (operation != nullptr && operation->observes) {
      row.context = change.context ? std::make_shared<const std::string>(change.context->bytes())
                                   : disk.context;
      row.exact = change.context.has_value();
    }
    return row;
  }

  Hlc now() const {
    const auto now = static_cast<std::uint64_t>(link_.shared().clock.wall().count());
    return std::min(kMaxHlc,
                    std::max(Hlc::from_micros(now), Hlc{link_.disk().replica_hlc.value + 1}));
  }

  crdt::Totals totals_of(const CounterKey& key) const {
    const OutboxDisk& disk = link_.disk();
    const auto stored = disk.counters.find(key);
    crdt::Totals totals = stored == disk.counters.end() ? crdt::Totals{} : stored->second;
    const auto add = [&](const StoredRow& row) {
      if (huge(row.amount) && row.key == key.first && row.field == key.second) {
        add_saturating(totals, row.amount);
      }
    };
    for (const auto& [id, row] : disk.rows) add(row);
    for (const StoredRow& row : rows_) add(row);
    return totals;
  }

  OutboxLink link_;
  Schema schema_;
  std::int64_t transaction_ = 0;  ///< 0: none is open
  std::vector<StoredRow> rows_;   ///< inserted, not committed
};

}  // namespace

std::unique_ptr<ProducerSession> MemoryOutbox::open_session() {
  const std::lock_guard lock(shared_->mutex);
  return std::make_unique<Session>(shared_);
}

}  // namespace tributary::memory

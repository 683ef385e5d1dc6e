/// The law of sealing: whatever the rows, no batch is above the limit, and no change is lost,
/// doubled or torn from its transaction.
#include <algorithm>
#include <deque>
#include <map>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "outbox/batch/draft_size.h"
#include "outbox/batch/sealing.h"
#include "tests/laws/dice.h"
#include "tests/laws/law.h"

namespace tributary::laws {
namespace {

constexpr std::uint64_t kMostActors = 800;
constexpr std::int64_t kAlmostFull = std::int64_t{1} << 62;
const OriginHead kHead{ActorId{7}, OriginName{"shop"}, Seq{41}, Hlc{5}};

/// An outbox that holds one row for each step of the plan, and the rules it is sealed by.
class Outbox {
 public:
  Outbox(const crdt::Type& type, const Plan& plan) : type_(type), dice_(plan.setup) {
    stored_.schema.keyspaces = {{"key:*", std::string(type.name)}};
    stored_.operations = {{std::string(type.name), "of a later version"}};
    transactions_ = dice_.between(1, 12);
    long_values_ = dice_.percent(20);
    troubled_ = dice_.percent(30);
    make_contexts(dice_.percent(10) ? kMostActors : 5);
    rules_.schema = &stored_;
    rules_.clock = Hlc{1'000'000};
    rules_.batch_bytes = std::size_t{100} << dice_.below(10);
    rules_.piece_bytes = rules_.batch_bytes + dice_.below(2 * rules_.batch_bytes);
    if (dice_.percent(20)) rules_.piece_changes = 1 + dice_.below(20);
    if (dice_.percent(30)) rules_.former = {{ActorId{3}, Seq{9}}, {ActorId{4}, Seq{2}}};
    if (dice_.percent(30)) rules_.proven.emplace();
    for (const std::uint64_t step : plan.steps) add(Dice(step));
  }

  [[nodiscard]] const std::vector<OutboxRow>& rows() const { return rows_; }
  [[nodiscard]] const SealRules& rules() const { return rules_; }

 private:
  void make_contexts(std::uint64_t actors) {
    for (int i = 0; i < 4; ++i) {
      VersionVector& context = contexts_.emplace_back();
      for (std::uint64_t actor = dice_.below(actors); actor < actors; ++actor) {
        context.raise(ActorId{100 + actor * 0x9e3779b97f4a7cU}, Seq{1 + dice_.below(3)});
      }
      rules_.known.join(context);
    }
    VersionVector beyond = rules_.known;
    beyond.raise(ActorId{100}, Seq{1'000'000});
    contexts_.push_back(std::move(beyond));
  }

  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  std::string_view text(Dice& dice) {
    return keep(std::string(dice.below(long_values_ && dice.percent(30) ? 5000 : 8), 'v'));
  }

  void add(Dice dice) {
    OutboxRow& row = rows_.emplace_back();
    row.id = static_cast<std::int64_t>(2 * rows_.size() + dice.below(2));
    row.transaction = dice.between(1, transactions_);
    row.tag = dice.percent(50) ? dice.next() : static_cast<std::uint64_t>(row.transaction);
    row.key = keep("key:" + std::to_string(dice.below(6)));
    row.type = type_.name;
    const crdt::Operation& operation = dice.pick(std::span(type_.operations));
    row.operation = operation.name;
    row.hlc = Hlc{dice.next() % 2'000'000};
    if (takes_field(operation.operand)) row.field = text(dice);
    if (takes_value(operation.operand)) row.value = text(dice);
    if (takes_amount(operation.operand)) {
      row.amount = troubled_ && dice.percent(5) ? kAlmostFull : dice.between(-9, 9);
    }
    row.exact = dice.percent(30);
    // The last one claims too much: as a token it counts as far as it can, else it is parked.
    const std::size_t usable = contexts_.size() - (troubled_ || row.exact ? 0 : 1);
    if (operation.observes) row.context = keep(contexts_[dice.below(usable)].bytes());
    if (!troubled_) return;
    if (dice.percent(2)) row.key = "nobody:1";
    if (dice.percent(2)) row.operation = "of a later version";
    if (dice.percent(1)) row.odd = "no text";
  }

  const crdt::Type& type_;
  Dice dice_;
  StoredSchema stored_;
  SealRules rules_;
  std::vector<VersionVector> contexts_;
  std::deque<std::string> texts_;  // rows point into it
  std::vector<OutboxRow> rows_;
  std::int64_t transactions_ = 1;
  bool long_values_ = false;
  bool troubled_ = false;
};

using RowsById = std::map<std::int64_t, const OutboxRow*>;

RowsById by_id(const std::vector<OutboxRow>& rows) {
  RowsById ids;
  for (const OutboxRow& row : rows) ids[row.id] = &row;
  return ids;
}

/// What one batch took: the rows that it names, which it takes out of `waiting`.
std::vector<const OutboxRow*> taken_by(const Batch& batch, RowsById& waiting) {
  std::vector<const OutboxRow*> taken;
  for (const ConsumedRows& run : batch.rows) {
    for (std::int64_t id = run.first_id; id <= run.last_id; ++id) {
      const auto row = waiting.find(id);
      require(row != waiting.end(), "a batch names a row that is not there, or was taken before");
      require(row->second->transaction == run.transaction && row->second->tag == run.tag,
              "a batch names a row by another one's transaction or tag");
      taken.push_back(row->second);
      waiting.erase(row);
    }
  }
  return taken;
}

/// The batch is small enough; a single change may be larger than a piece.
void require_bounded(const SealedBatch& sealed, const SealRules& rules) {
  const std::size_t changes = sealed.last_seq.value - sealed.first_seq.value + 1;
  const std::size_t limit = rules.piece_bytes + rules.piece_bytes / 16;
  require(sealed.bytes.size() <= limit || changes == 1, "a batch is above the limit");
  require(changes <= rules.piece_changes, "a batch has more changes than one may have");
}

void require_same_keys(const Batch& batch, const std::vector<const OutboxRow*>& taken) {
  std::set<std::string_view> written;
  std::set<std::string_view> sealed;
  for (const OutboxRow* row : taken) written.insert(row->key);
  for (const Delta& delta : batch.deltas) sealed.insert(delta.key);
  require(written == sealed, "a batch has not the keys of its rows");
}

/// Whoever goes by the totals that batches carry counts what the rows add up to.
class Sums {
 public:
  void sealed(const crdt::Type& type, const Batch& batch) {
    for (const Delta& delta : batch.deltas) {
      const auto touched = type.touched(delta.body, bounds_of(batch));
      require(touched.has_value(), "a consumer would refuse a delta");
      for (const crdt::FieldTotals& each : type.totals(delta.body)) {
        told_[{delta.key, each.field}] = each.totals.increments - each.totals.decrements;
      }
    }
  }
  void taken(const OutboxRow& row) {
    if (row.amount != 0) written_[{std::string(row.key), std::string(row.field)}] += row.amount;
  }
  void require_equal() const {
    for (const auto& [field, sum] : written_) {
      const auto told = told_.find(field);
      require(told != told_.end() && told->second == sum, "a counter's totals miss a change");
    }
  }

 private:
  using Field = std::pair<std::string, std::string>;
  std::map<Field, std::int64_t> told_;
  std::map<Field, std::int64_t> written_;
};

/// A transaction is parked, left or sealed as a whole, and in one batch unless it is too large.
class Whole {
 public:
  explicit Whole(std::size_t batches) : batches_(batches) {}
  /// Places below the number of batches are these.
  void met(const OutboxRow& row, std::size_t place) {
    Transaction& transaction = transactions_[row.transaction];
    transaction.places.insert(place);
    transaction.rows += 1;
    transaction.most_bytes += DraftSize::most_of(row, row.context.size() + kFormerBytes);
  }
  void require_whole(const SealRules& rules) const {
    for (const auto& [number, transaction] : transactions_) {
      if (transaction.places.size() == 1) continue;
      require(*transaction.places.rbegin() < batches_, "a transaction is set aside in part");
      require(kHeadBytes + transaction.most_bytes > rules.piece_bytes ||
                  transaction.rows > rules.piece_changes,
              "a transaction is torn that is not too large");
    }
  }
  [[nodiscard]] std::size_t torn() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        transactions_, [](const auto& each) { return each.second.places.size() > 1; }));
  }

 private:
  static constexpr std::size_t kHeadBytes = 200;
  static constexpr std::size_t kFormerBytes = 50;  ///< that a context grows by
  struct Transaction {
    std::set<std::size_t> places = {};
    std::size_t rows = 0;
    std::size_t most_bytes = 0;  ///< encoded
  };
  std::size_t batches_;
  std::map<std::int64_t, Transaction> transactions_;
};

void seal_loses_nothing(const crdt::Type& type, const Plan& plan, Story story) {
  const Outbox outbox(type, plan);
  TotalsCache totals;
  const SealResult sealing = seal(kHead, outbox.rows(), outbox.rules(), totals);
  if (story != nullptr) {
    *story << outbox.rows().size() << " rows, " << sealing.batches.size() << " batches, "
           << sealing.parked.size() << " parked, " << sealing.left.size() << " left\n";
  }
  RowsById waiting = by_id(outbox.rows());
  Sums sums;
  Whole whole(sealing.batches.size());
  Seq last = kHead.seq;
  for (std::size_t i = 0; i < sealing.batches.size(); ++i) {
    const SealedBatch& sealed = sealing.batches[i];
    require_bounded(sealed, outbox.rules());
    const auto batch = decode_batch(sealed.bytes);
    require(batch.has_value(), "a batch does not decode");
    require(batch->first_seq == last.next() && batch->last_seq == sealed.last_seq,
            "batches do not follow each other");
    last = batch->last_seq;
    const auto taken = taken_by(*batch, waiting);
    require(taken.size() == last.value + 1 - batch->first_seq.value,
            "a batch has not as many changes as rows");
    require_same_keys(*batch, taken);
    sums.sealed(type, *batch);
    for (const OutboxRow* row : taken) {
      sums.taken(*row);
      whole.met(*row, i);
    }
  }
  require(sealing.head.seq == last, "the head is not the last change's");
  const auto aside = [&](std::int64_t id, std::size_t place) {
    const auto row = waiting.find(id);
    require(row != waiting.end(), "a row is set aside or left that is not there, or was sealed");
    whole.met(*row->second, sealing.batches.size() + place);
    waiting.erase(row);
  };
  for (const ParkedRow& row : sealing.parked) aside(row.id, 0);
  for (const std::int64_t id : sealing.left) aside(id, 1);
  require(waiting.empty(), "a row is lost");
  sums.require_equal();
  whole.require_whole(outbox.rules());
  require(sealing.pieces > 0 || whole.torn() == 0, "that a transaction is torn is not told");
}

TEST_CASE("a seal bounds its batches, and loses, doubles and tears nothing") {
  check_law("seal loses nothing", seal_loses_nothing);
}

}  // namespace
}  // namespace tributary::laws

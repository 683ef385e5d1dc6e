#include "outbox/batch/sealing.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include <tributary/crdt/type.h>

#include "base/check.h"
#include "outbox/batch/batch_draft.h"
#include "outbox/batch/context_judge.h"
#include "outbox/batch/row_check.h"
#include "outbox/batch/seal_order.h"

namespace tributary {
namespace {

/// A row that may be sealed, or has to wait.
struct SievedRow {
  const crdt::Type* type = nullptr;
  const crdt::Operation* operation = nullptr;  ///< absent: this program does not know it
  const SeenContext* context = nullptr;        ///< when the operation observes
  std::size_t key = 0;                         ///< a number for it, from 0
  std::size_t most = 0;                        ///< bytes that it adds to a draft, see DraftSize
};

/// Which of the rows cannot be sealed now, by whole transactions.
class Sieve {
 public:
  Sieve(std::span<const OutboxRow> rows, const SealRules& rules, ContextJudge& contexts)
      : check_(*rules.schema, rows.size()), rules_(rules) {
    sieved_.reserve(rows.size());
    for (const OutboxRow& row : rows) {
      RowVerdict verdict = check_.check(row);
      SievedRow& sieved = sieved_.emplace_back();
      if (verdict.kind == RowVerdict::Kind::kIllegal) refuse(row, verdict.why);
      if (verdict.kind == RowVerdict::Kind::kUnknown) unknown_.push_back({&row, verdict.why});
      if (verdict.kind != RowVerdict::Kind::kLegal) continue;
      sieved = {verdict.type, verdict.operation, nullptr, verdict.key, DraftSize::most_of(row, 0)};
      if (!verdict.operation->observes) continue;
      if (const JudgedContext& context = contexts.of(row)) {
        sieved.context = &*context;
        sieved.most = DraftSize::most_of(row, context->bytes);
        if (context->capped) cap(row);
      } else {
        refuse(row, context.error());
      }
    }
    leave(rows);
  }

  void refuse(const OutboxRow& row, const std::string& why) {
    bad_.try_emplace(row.transaction, "row " + std::to_string(row.id) + ": " + why);
  }

  [[nodiscard]] const SievedRow& operator[](std::size_t row) const { return sieved_[row]; }
  /// nullptr unless the row's transaction holds one that can never be applied.
  [[nodiscard]] const std::string* refused(const OutboxRow& row) const {
    if (bad_.empty()) return nullptr;
    const auto found = bad_.find(row.transaction);
    return found == bad_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] bool left(const OutboxRow& row) const {
    return !left_.empty() && left_.contains(row.transaction);
  }
  [[nodiscard]] const std::string& left_because() const { return left_because_; }
  [[nodiscard]] std::set<std::int64_t> take_unproven() { return std::move(unproven_); }
  /// Tokens that claimed more than is known, for certain.
  [[nodiscard]] std::size_t capped() const { return capped_.size(); }

 private:
  struct Unknown {
    const OutboxRow* row = nullptr;
    std::string why;
  };

  void cap(const OutboxRow& row) {
    if (!rules_.proven || rules_.proven->contains(row.id)) {
      capped_.insert(row.context);
      return;
    }
    unproven_.insert(row.id);
    unknown_.push_back({&row, rules_.unasked.empty()
                                  ? std::string()
                                  : "a token claims to have seen more than is known here, and the "
                                    "region's replica cannot be asked: " +
                                        rules_.unasked});
  }

  /// A transaction that waits holds back those behind it that touch its keys: seqs keep the order.
  void leave(std::span<const OutboxRow> rows) {
    for (const Unknown& each : unknown_) {
      if (refused(*each.row) != nullptr) continue;
      if (left_because_.empty()) left_because_ = each.why;
      left_.insert(each.row->transaction);
    }
    if (left_.empty()) return;
    std::unordered_set<std::string_view> keys;
    std::size_t before = 0;
    do {
      before = left_.size();
      for (const OutboxRow& row : rows) {
        if (left(row)) keys.insert(row.key);
        else if (keys.contains(row.key) && refused(row) == nullptr) left_.insert(row.transaction);
      }
    } while (left_.size() != before);
  }

  RowCheck check_;
  const SealRules& rules_;
  std::set<std::int64_t> unproven_;
  std::unordered_set<std::string_view> capped_;
  std::vector<SievedRow> sieved_;
  std::vector<Unknown> unknown_;
  std::unordered_map<std::int64_t, std::string> bad_;  ///< transaction -> why
  std::unordered_set<std::int64_t> left_;
  std::string left_because_;
};

class Sealer {
 public:
  Sealer(const OriginHead& head, std::span<const OutboxRow> rows, const SealRules& rules,
         TotalsCache& totals)
      : rows_(rows),
        rules_(rules),
        totals_(totals),
        start_(head),
        contexts_(head.actor, rules),
        sieve_(rows, rules, contexts_) {}

  /// Asks for the totals that are not known yet. Before run().
  Result<void> learn_totals(const LoadTotals& load) {
    std::vector<TotalsKey> unknown;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const crdt::Operation* operation = sieve_[i].operation;
      if (operation == nullptr || !operation->accumulates || total_of(i) != nullptr) continue;
      unknown.push_back({rows_[i].key, rows_[i].field});
    }
    if (unknown.empty()) return {};
    unknown = TotalsCache::distinct(std::move(unknown));
    TRIBUTARY_ASSIGN(const auto stored, load(unknown));
    totals_.learn(unknown, stored);
    return {};
  }

  SealResult run() {
    // A counter that overflows is met in the middle of its transaction: without that, again.
    while (!number()) {
    }
    for (const OutboxRow& row : rows_) {
      if (const std::string* why = sieve_.refused(row)) out_.parked.push_back({row.id, *why});
      else if (sieve_.left(row)) out_.left.push_back(row.id);
    }
    out_.left_because = sieve_.left_because();
    out_.unproven = sieve_.take_unproven();
    out_.capped = sieve_.capped();
    return std::move(out_);
  }

 private:
  [[nodiscard]] BatchDraft new_draft() const { return {out_.head, rules_.former, fits_}; }

  /// The size of a batch may pass piece_bytes by that much before it is looked at exactly.
  [[nodiscard]] std::size_t most_bytes() const {
    return rules_.piece_bytes + rules_.piece_bytes / 16;
  }

  void count(DraftSize& size, std::size_t i, bool new_key) const {
    const SeenContext* context = sieve_[i].context;
    if (context == nullptr) size.add(rows_[i], new_key, nullptr, 0);
    else size.add(rows_[i], new_key, &context->others, context->bytes);
  }

  /// The unit adds no more than that to any draft.
  [[nodiscard]] std::size_t most_of(RowUnit unit) const {
    std::size_t most = 0;
    for (const std::size_t i : unit) most += sieve_[i].most;
    return most;
  }

  /// Whether the draft takes the whole unit besides, for certain.
  bool takes(BatchDraft& draft, RowUnit unit) {
    if (draft.changes() + unit.size() > rules_.piece_changes) return false;
    const std::size_t most = most_of(unit);
    if (draft.within(most_bytes(), most)) return true;
    std::size_t bytes = draft.bytes();
    for (const std::size_t i : unit) {
      const SeenContext* context = sieve_[i].context;
      if (context != nullptr) bytes += draft.debt(rows_[i], &context->others, context->bytes);
    }
    DraftSize size(bytes);
    std::unordered_set<std::size_t> keys;
    for (const std::size_t i : unit) count(size, i, keys.insert(sieve_[i].key).second);
    return size.within(most_bytes());
  }

  /// Whether the draft, within a unit, has to end before row i. The exact size is asked for only
  /// after a sixteenth of it has come in anew, so that this takes linear time.
  bool full(BatchDraft& draft, std::size_t i) {
    const SeenContext* context = sieve_[i].context;
    const std::size_t key = sieve_[i].key;
    const auto passes = [&] {
      const auto more = context == nullptr
                            ? draft.more(rows_[i], key, nullptr, 0)
                            : draft.more(rows_[i], key, &context->others, context->bytes);
      return draft.bytes() + more > most_bytes();
    };
    if (draft.changes() >= rules_.piece_changes) return true;
    if (draft.empty() || !passes()) return false;
    return draft.measure(out_.head) >= rules_.piece_bytes || passes();
  }

  UnitOrder units() {
    fits_ = false;
    std::vector<std::size_t> taken;
    taken.reserve(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (sieve_.refused(rows_[i]) == nullptr && !sieve_.left(rows_[i])) taken.push_back(i);
    }
    const std::size_t most = most_of(taken);
    BatchDraft fresh = new_draft();
    fits_ = taken.size() <= rules_.piece_changes && fresh.within(rules_.batch_bytes, most);
    if (fits_ && !taken.empty()) return {taken, {taken.size()}};
    return seal_order(rows_, std::move(taken), [&](RowUnit unit) { return !takes(fresh, unit); });
  }

  bool number() {
    out_ = {};
    out_.head = start_;
    const UnitOrder units = this->units();
    BatchDraft draft = new_draft();
    std::vector<std::size_t> added;
    added.reserve(rows_.size());
    for (std::size_t at = 0; at < units.size(); ++at) {
      const RowUnit unit = units[at];
      const bool whole = fits_ || takes(draft, unit);
      if (!whole && !draft.empty()) cut(draft);
      for (const std::size_t i : unit) {
        if (!whole && full(draft, i)) {
          ++out_.pieces;
          cut(draft);
        }
        if (!add(draft, i)) {
          overflowed(i, added);
          return false;
        }
        added.push_back(i);
      }
      if (!fits_ && !draft.within(rules_.batch_bytes)) cut(draft);
    }
    if (!draft.empty()) cut(draft);
    return true;
  }

  void overflowed(std::size_t row, std::span<const std::size_t> added) {
    for (const std::size_t i : added) take_back(i);
    sieve_.refuse(rows_[row], "counter \"" + std::string(rows_[row].key) +
                                  "\" would overflow 9223372036854775807");
  }

  /// False: the counter would overflow.
  bool add(BatchDraft& draft, std::size_t i) {
    const OutboxRow& row = rows_[i];
    const SievedRow& sieved = sieve_[i];
    crdt::Totals totals;
    if (sieved.operation->accumulates && !totals_.add(*total_of(i), row.amount, totals)) {
      return false;
    }
    const SeenContext* context = sieved.context;
    out_.head.seq = out_.head.seq.next();
    const Hlc latest = std::max(Hlc{rules_.seen.value + 1}, rules_.clock);
    // At kMaxHlc, where only a forger can lead, it stays, and seqs alone keep the order.
    out_.head.hlc = std::min(kMaxHlc, seal_hlc(row.hlc, out_.head.hlc, latest));
    const Seq before{out_.head.seq.value - 1};
    draft.add(
        row, sieved.key, *sieved.type,
        {.seq = out_.head.seq,
         .hlc = out_.head.hlc,
         .operation = sieved.operation,
         .field = row.field,
         .value = row.value,
         .amount = row.amount,
         .totals = totals,
         .context = context == nullptr ? nullptr : &context->others,
         .own = context == nullptr ? before : std::min(before, context->own.value_or(before))},
        context == nullptr ? 0 : context->bytes);
    return true;
  }

  /// Looked up once a key, as far as keys have one total. nullptr: not known.
  TotalsCache::Entry* total_of(std::size_t i) {
    const OutboxRow& row = rows_[i];
    if (!row.field.empty()) return totals_.find(row.key, row.field);
    const std::size_t key = sieve_[i].key;
    if (key >= total_of_key_.size()) total_of_key_.resize(key + 1);
    TotalsCache::Entry*& known = total_of_key_[key];
    if (known == nullptr) known = totals_.find(row.key, row.field);
    return known;
  }

  void take_back(std::size_t i) {
    if (!sieve_[i].operation->accumulates) return;
    totals_.take_back(rows_[i].key, rows_[i].field, rows_[i].amount);
  }

  void cut(BatchDraft& draft) {
    out_.batches.push_back(draft.encode(out_.head));
    CHECK(out_.batches.back().bytes.size() <= kMaxBatchBytes);
    out_.head.history = history_of(out_.batches.back().bytes);
    draft = new_draft();
  }

  std::span<const OutboxRow> rows_;
  const SealRules& rules_;
  TotalsCache& totals_;
  OriginHead start_;
  ContextJudge contexts_;
  Sieve sieve_;
  bool fits_ = false;                              ///< all of it is one batch, for certain
  std::vector<TotalsCache::Entry*> total_of_key_;  ///< by number of the key; null: not looked up
  SealResult out_;
};

}  // namespace

Result<SealResult> seal(const OriginHead& head, std::span<const OutboxRow> rows,
                        const SealRules& rules, TotalsCache& totals, const LoadTotals& load) {
  Sealer sealer(head, rows, rules, totals);
  TRIBUTARY_TRY(sealer.learn_totals(load));
  return sealer.run();
}

SealResult seal(const OriginHead& head, std::span<const OutboxRow> rows, const SealRules& rules,
                TotalsCache& totals) {
  const auto none = [](std::span<const TotalsKey> /*keys*/) { return std::vector<StoredTotals>(); };
  return *seal(head, rows, rules, totals, none);
}

void unseal(const SealResult& sealing, std::span<const OutboxRow> rows, TotalsCache& totals) {
  std::unordered_set<std::int64_t> untouched(sealing.left.begin(), sealing.left.end());
  for (const ParkedRow& row : sealing.parked) untouched.insert(row.id);
  for (const OutboxRow& row : rows) {
    const crdt::Type* type = crdt::find_type(row.type);
    if (type == nullptr || untouched.contains(row.id)) continue;
    const crdt::Operation* operation = crdt::find_operation(*type, row.operation);
    if (operation != nullptr && operation->accumulates) {
      totals.take_back(row.key, row.field, row.amount);
    }
  }
}

SealedBatch seal_discarded(const OriginHead& head, std::span<const FormerActor> former,
                           std::vector<ConsumedRows> rows) {
  const Seq seq = head.seq.next();
  Batch batch{.actor = head.actor,
              .origin = head.origin,
              .first_seq = seq,
              .last_seq = seq,
              .hlc = head.hlc,
              .before = head.history,
              .rows = std::move(rows)};
  name_former(batch, former, head.former_history);
  return {batch.actor, seq, seq, encode(batch)};
}

std::string heartbeat(const OriginHead& head, std::span<const FormerActor> former, Hlc now) {
  Batch batch{.actor = head.actor,
              .origin = head.origin,
              .first_seq = head.seq.next(),
              .last_seq = head.seq,
              .hlc = std::max(head.hlc, std::min(now, kMaxClock)),
              .before = head.history};
  name_former(batch, former, head.former_history);
  return encode(batch);
}

void relearn(const Batch& batch, TotalsCache& totals) {
  for (const Delta& delta : batch.deltas) {
    const crdt::Type* type = delta.type.known;
    if (type == nullptr || !type->touched(delta.body, bounds_of(batch))) continue;
    for (const crdt::FieldTotals& each : type->totals(delta.body)) {
      totals.raise(delta.key, each.field, each.totals);
    }
  }
}

}  // namespace tributary

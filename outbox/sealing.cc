#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include <tributary/base/check.h>
#include <tributary/crdt/context_table.h>
#include <tributary/crdt/type.h>
#include <tributary/outbox/row_check.h>
#include <tributary/outbox/seal_contexts.h>
#include <tributary/outbox/sealing.h>

namespace tributary {
namespace {

/// What a change adds to a batch beside its bytes: key and length heads, seqs, a timestamp, its
/// row's id and transaction.
constexpr std::size_t kRowOverhead = 64;

/// At least what a row adds to a batch, about.
std::size_t size_of(const OutboxRow& row) {
  return kRowOverhead + row.key.size() + row.field.size() + row.value.size() + row.context.size();
}

/// Names whom the batch's actor followed: see Batch::predecessor.
void name_former(Batch& batch, std::span<const FormerActor> former) {
  if (former.empty()) return;
  batch.predecessor = former.back();
  for (std::size_t at = former.size() - 1;
       at > 0 && former[at].final_seq == Seq{} && batch.earlier.size() + 2 < kMostFormer; --at) {
    batch.earlier.push_back(former[at - 1]);
  }
}

/// One batch while its rows come in: the changes of each key, in order.
class BatchDraft {
 public:
  explicit BatchDraft(Seq first) : first_(first) {}

  void add(const OutboxRow& row, const crdt::Type& type, const crdt::SealedChange& change,
           std::size_t context_bytes) {
    note_consumed(row);
    const auto [entry, fresh] = group_of_.try_emplace(row.key, groups_.size());
    if (fresh) groups_.push_back({row.key, &type, {}});
    groups_[entry->second].changes.push_back(change);
    bytes_ += size_of(row) - row.context.size();
    if (change.context != nullptr) count_context(row, change.context, context_bytes);
  }

  /// At least what encode() will give, about.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] bool empty() const { return groups_.empty(); }

  [[nodiscard]] SealedBatch encode(const OriginHead& head,
                                   std::span<const FormerActor> former) const {
    crdt::ContextTable contexts;
    Batch batch{.actor = head.actor,
                .origin = head.origin,
                .first_seq = first_,
                .last_seq = head.seq,
                .hlc = head.hlc,
                .rows = consumed_};
    name_former(batch, former);
    batch.deltas.reserve(groups_.size());
    for (const Group& group : groups_) {
      batch.deltas.push_back({std::string(group.key), std::string(group.type->name),
                              group.changes.back().seq,
                              group.type->seal(head.actor, group.changes, contexts)});
    }
    batch.contexts = contexts.contexts();
    return {batch.actor, batch.first_seq, batch.last_seq, tributary::encode(batch)};
  }

 private:
  struct Group {
    std::string_view key;
    const crdt::Type* type = nullptr;
    std::vector<crdt::SealedChange> changes;
  };

  /// Equal contexts are sealed once. What observes twice, with different contexts, gets one of its
  /// own that joins them.
  void count_context(const OutboxRow& row, const VersionVector* context, std::size_t bytes) {
    if (contexts_.insert(context).second) bytes_ += bytes;
    const auto [entry, fresh] =
        observers_.try_emplace({row.key, row.value}, Observer{context, bytes});
    Observer& observer = entry->second;
    if (fresh || observer.context == context) return;
    bytes_ += observer.uncounted + bytes;
    observer = {context, 0};
  }

  void note_consumed(const OutboxRow& row) {
    const std::int64_t id = row.first_id();
    if (!consumed_.empty()) {
      ConsumedRows& last = consumed_.back();
      if (last.transaction == row.transaction && last.last_id + 1 == id) {
        last.last_id = id;
        return;
      }
    }
    consumed_.push_back({row.transaction, id, id, row.tag});
  }

  Seq first_;
  std::size_t bytes_ = 0;
  std::vector<Group> groups_;
  std::unordered_map<std::string_view, std::size_t> group_of_;
  struct Observer {
    const VersionVector* context = nullptr;  ///< its last one
    std::size_t uncounted = 0;               ///< bytes of what was sealed for it with others so far
  };
  std::unordered_set<const VersionVector*> contexts_;
  std::map<std::pair<std::string_view, std::string_view>, Observer> observers_;  ///< (key, element)
  std::vector<ConsumedRows> consumed_;
};

/// Which of the rows cannot be sealed now, by whole transactions.
class Sieve {
 public:
  Sieve(std::span<const OutboxRow> rows, const SealRules& rules, SealContexts& contexts)
      : check_(*rules.schema) {
    verdicts_.reserve(rows.size());
    for (const OutboxRow& row : rows) {
      RowVerdict& verdict = verdicts_.emplace_back(check_.check(row));
      if (verdict.kind == RowVerdict::Kind::kLegal && verdict.operation->observes) {
        if (const JudgedContext& context = contexts.of(row); !context) {
          verdict = {RowVerdict::Kind::kIllegal, nullptr, nullptr, context.error()};
        }
      }
      if (verdict.kind == RowVerdict::Kind::kIllegal) refuse(row, verdict.why);
    }
    leave(rows);
  }

  void refuse(const OutboxRow& row, const std::string& why) {
    bad_.try_emplace(row.transaction, "row " + std::to_string(row.id) + ": " + why);
  }

  [[nodiscard]] const RowVerdict& verdict(std::size_t row) const { return verdicts_[row]; }
  /// nullptr unless the row's transaction holds one that can never be applied.
  [[nodiscard]] const std::string* refused(const OutboxRow& row) const {
    const auto found = bad_.find(row.transaction);
    return found == bad_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] bool left(const OutboxRow& row) const { return left_.contains(row.transaction); }
  [[nodiscard]] const std::string& left_because() const { return left_because_; }

 private:
  /// A transaction that waits holds back those behind it that touch its keys: seqs keep the order.
  void leave(std::span<const OutboxRow> rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (verdicts_[i].kind != RowVerdict::Kind::kUnknown || refused(rows[i]) != nullptr) continue;
      if (left_.empty()) left_because_ = verdicts_[i].why;
      left_.insert(rows[i].transaction);
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
  std::vector<RowVerdict> verdicts_;
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

  Sealing run() {
    // A counter that overflows is met in the middle of its transaction: without that, again.
    while (!number()) {
    }
    for (const OutboxRow& row : rows_) {
      if (const std::string* why = sieve_.refused(row)) out_.parked.push_back({row.id, *why});
      else if (sieve_.left(row)) out_.left.push_back(row.id);
    }
    out_.left_because = sieve_.left_because();
    out_.capped = contexts_.capped();
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool taken(const OutboxRow& row) const {
    return sieve_.refused(row) == nullptr && !sieve_.left(row);
  }

  /// Row i ends a batch well when no transaction has rows on both sides.
  std::vector<bool> ends() const {
    std::unordered_map<std::int64_t, std::size_t> last_of;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (taken(rows_[i])) last_of[rows_[i].transaction] = i;
    }
    std::vector<bool> ends(rows_.size(), false);
    std::size_t open_until = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (taken(rows_[i])) open_until = std::max(open_until, last_of[rows_[i].transaction]);
      ends[i] = open_until <= i;
    }
    return ends;
  }

  bool number() {
    out_ = {};
    out_.head = start_;
    const std::vector<bool> ends = this->ends();
    BatchDraft draft(out_.head.seq.next());
    bool whole = true;  // the draft ends between transactions
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!taken(rows_[i])) continue;
      if (!draft.empty() && draft.bytes() + size_of(rows_[i]) > rules_.piece_bytes) {
        out_.pieces += whole ? 0 : 1;
        cut(draft);
      }
      if (!add(draft, i)) {
        for (std::size_t j = 0; j < i; ++j) take_back(j);
        sieve_.refuse(rows_[i], "counter \"" + std::string(rows_[i].key) +
                                    "\" would overflow 9223372036854775807");
        return false;
      }
      whole = ends[i];
      if (whole && draft.bytes() >= rules_.batch_bytes) cut(draft);
    }
    if (!draft.empty()) cut(draft);
    return true;
  }

  /// False: the counter would overflow.
  bool add(BatchDraft& draft, std::size_t i) {
    const OutboxRow& row = rows_[i];
    const RowVerdict& verdict = sieve_.verdict(i);
    crdt::Totals totals;
    if (verdict.operation->accumulates && !totals_.add(row.key, row.field, row.amount, totals)) {
      return false;
    }
    const SealedContext* context =
        verdict.operation->observes ? &contexts_.of(row).value() : nullptr;
    out_.head.seq = out_.head.seq.next();
    const Hlc latest = std::max(Hlc{rules_.seen.value + 1}, rules_.clock);
    out_.head.hlc = seal_hlc(row.hlc, out_.head.hlc, latest);
    const Seq before{out_.head.seq.value - 1};
    draft.add(
        row, *verdict.type,
        {.seq = out_.head.seq,
         .hlc = out_.head.hlc,
         .operation = verdict.operation,
         .field = row.field,
         .value = row.value,
         .amount = row.amount,
         .totals = totals,
         .context = context == nullptr ? nullptr : &context->others,
         .own = context == nullptr ? before : std::min(before, context->own.value_or(before))},
        context == nullptr ? 0 : context->bytes);
    return true;
  }

  void take_back(std::size_t i) {
    const RowVerdict& verdict = sieve_.verdict(i);
    if (verdict.operation == nullptr || !verdict.operation->accumulates || !taken(rows_[i])) return;
    totals_.take_back(rows_[i].key, rows_[i].field, rows_[i].amount);
  }

  void cut(BatchDraft& draft) {
    out_.batches.push_back(draft.encode(out_.head, rules_.former));
    CHECK(out_.batches.back().bytes.size() <= kMaxBatchBytes);
    draft = BatchDraft(out_.head.seq.next());
  }

  std::span<const OutboxRow> rows_;
  const SealRules& rules_;
  TotalsCache& totals_;
  OriginHead start_;
  SealContexts contexts_;
  Sieve sieve_;
  Sealing out_;
};

}  // namespace

Sealing seal(const OriginHead& head, std::span<const OutboxRow> rows, const SealRules& rules,
             TotalsCache& totals) {
  return Sealer(head, rows, rules, totals).run();
}

void unseal(const Sealing& sealing, std::span<const OutboxRow> rows, TotalsCache& totals) {
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

std::string heartbeat(const OriginHead& head, std::span<const FormerActor> former, Hlc now,
                      std::vector<ConsumedRows> discarded) {
  Batch batch{.actor = head.actor,
              .origin = head.origin,
              .first_seq = head.seq.next(),
              .last_seq = head.seq,
              .hlc = std::max(head.hlc, std::min(now, kMaxHlc)),
              .rows = std::move(discarded)};
  name_former(batch, former);
  return encode(batch);
}

void relearn(const Batch& batch, TotalsCache& totals) {
  for (const Delta& delta : batch.deltas) {
    const crdt::Type* type = crdt::find_type(delta.type);
    if (type == nullptr || !type->touched(delta.body, bounds_of(batch))) continue;
    for (const crdt::FieldTotals& each : type->totals(delta.body)) {
      totals.raise(delta.key, each.field, each.totals);
    }
  }
}

}  // namespace tributary

#include <unordered_map>

#include <tributary/crdt/context_table.h>
#include <tributary/crdt/type.h>
#include <tributary/outbox/sealing.h>

namespace tributary {
namespace {

/// The changes of one key in this batch.
struct Group {
  std::string_view key;
  const crdt::Type* type = nullptr;
  Error refusal;  ///< why the key takes no change, when type is nullptr
  std::vector<crdt::SealedChange> changes;
};

class Sealer {
 public:
  Sealer(const OriginHead& head, Hlc latest, const Schema& schema, TotalsCache& totals)
      : latest_(latest), schema_(schema), totals_(totals), first_(head.seq.next()) {
    out_.head = head;
  }

  Sealing run(std::span<const OutboxRow> rows) {
    group_of_.reserve(rows.size());
    for (const OutboxRow& row : rows) add(row);
    if (out_.head.seq >= first_) encode_batch();
    return std::move(out_);
  }

 private:
  void add(const OutboxRow& row) {
    note_consumed(row);
    Group& group = group_for(row);
    if (auto added = append(row, group); !added) {
      out_.parked.push_back({row.id, std::move(added.error().message)});
    }
  }

  /// The group of the row's key. Its type is looked up once a batch, not once a row.
  Group& group_for(const OutboxRow& row) {
    const auto [entry, fresh] = group_of_.try_emplace(row.key, groups_.size());
    if (!fresh) return groups_[entry->second];
    Group& group = groups_.emplace_back();
    group.key = row.key;
    const auto legal = check_key(schema_.limits, row.key);
    const auto type = type_of(schema_, row.key);
    if (legal && type) group.type = *type;
    else group.refusal = legal ? type.error() : legal.error();
    return group;
  }

  Result<void> append(const OutboxRow& row, Group& group) {
    if (group.type == nullptr) return fail(group.refusal);
    const crdt::Operation* operation = crdt::find_operation(*group.type, row.operation);
    if (operation == nullptr || group.type->name != row.type) {
      return fail(refusal(row));
    }
    const VersionVector* context = nullptr;
    if (operation->observes && !row.context.empty()) {
      TRIBUTARY_ASSIGN(context, context_of(row.context));
    }
    crdt::Totals totals;
    if (operation->accumulates && !totals_.add(row.key, row.field, row.amount, totals)) {
      return fail(ErrorKind::kPoison,
                  "counter \"" + std::string(row.key) + "\" would overflow 9223372036854775807");
    }
    out_.head.seq = out_.head.seq.next();
    out_.head.hlc = seal_hlc(row.hlc, out_.head.hlc, latest_);
    group.changes.push_back({out_.head.seq, out_.head.hlc, operation, row.field, row.value,
                             row.amount, totals, context});
    return {};
  }

  /// The schema's own words for what is wrong with a row that plain SQL put there.
  Error refusal(const OutboxRow& row) const {
    const Change change{std::string(row.key),
                        std::string(row.type),
                        std::string(row.operation),
                        std::string(row.field),
                        std::string(row.value),
                        row.amount,
                        std::nullopt};
    const auto checked = check(schema_, change);
    return checked ? Error{ErrorKind::kPoison, "the row is not a legal change"} : checked.error();
  }

  /// Decodes a context once a run of equal ones; without the own actor, whose entry is implied.
  Result<const VersionVector*> context_of(std::string_view bytes) {
    if (const auto known = contexts_of_.find(bytes); known != contexts_of_.end()) {
      return &known->second;
    }
    auto context = VersionVector::from_bytes(bytes);
    if (!context) return fail(ErrorKind::kPoison, "the row's context does not decode");
    context->erase(out_.head.actor);
    return &contexts_of_.emplace(bytes, std::move(*context)).first->second;
  }

  void note_consumed(const OutboxRow& row) {
    if (!consumed_.empty()) {
      ConsumedRows& last = consumed_.back();
      if (last.transaction == row.transaction && last.last_id + 1 == row.id) {
        last.last_id = row.id;
        return;
      }
    }
    consumed_.push_back({row.transaction, row.id, row.id, row.hlc});
  }

  void encode_batch() {
    crdt::ContextTable contexts;
    Batch batch{.actor = out_.head.actor,
                .origin = out_.head.origin,
                .first_seq = first_,
                .last_seq = out_.head.seq,
                .hlc = out_.head.hlc,
                .rows = std::move(consumed_)};
    batch.deltas.reserve(groups_.size());
    for (const Group& group : groups_) {
      if (group.changes.empty()) continue;
      batch.deltas.push_back({std::string(group.key), std::string(group.type->name),
                              group.changes.back().seq,
                              group.type->seal(out_.head.actor, group.changes, contexts)});
    }
    batch.contexts = contexts.contexts();
    out_.batch = SealedBatch{batch.actor, batch.first_seq, batch.last_seq, encode(batch)};
  }

  Hlc latest_;
  const Schema& schema_;
  TotalsCache& totals_;
  Sealing out_;
  Seq first_;
  std::vector<Group> groups_;
  std::unordered_map<std::string_view, std::size_t> group_of_;
  std::unordered_map<std::string_view, VersionVector> contexts_of_;
  std::vector<ConsumedRows> consumed_;
};

}  // namespace

Sealing seal(const OriginHead& head, std::span<const OutboxRow> rows, Hlc latest,
             const Schema& schema, TotalsCache& totals) {
  return Sealer(head, latest, schema, totals).run(rows);
}

std::string heartbeat(const OriginHead& head, Hlc now) {
  return encode(Batch{.actor = head.actor,
                      .origin = head.origin,
                      .first_seq = head.seq.next(),
                      .last_seq = head.seq,
                      .hlc = std::max(head.hlc, now)});
}

void relearn(const Batch& batch, TotalsCache& totals) {
  for (const Delta& delta : batch.deltas) {
    const crdt::Type* type = crdt::find_type(delta.type);
    if (type == nullptr || !type->touched(delta.body, batch.contexts.size())) continue;
    for (const crdt::FieldTotals& each : type->totals(delta.body)) {
      totals.raise(delta.key, each.field, each.totals);
    }
  }
}

}  // namespace tributary

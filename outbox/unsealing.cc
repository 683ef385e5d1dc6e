#include <algorithm>
#include <cstddef>

#include <tributary/crdt/type.h>
#include <tributary/outbox/unsealing.h>

namespace tributary {
namespace {

/// Rows' tags are random; pieces of one large transaction may share them, and begin with other ids.
std::uint64_t tag_of(const Batch& batch) {
  if (batch.rows.empty()) return batch.actor.value ^ batch.first_seq.value;
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15U;
  const ConsumedRows& first = batch.rows.front();
  return first.tag ^ (static_cast<std::uint64_t>(first.first_id) * kSpread);
}

/// What the writer had seen. Of the actor's own changes: mostly all before the batch, as any row
/// has; else no more than the writer said.
void tell_context(const crdt::UnsealedChange& change, const Batch& batch,
                  std::span<const FormerActor> former, UnsealedRow& row) {
  VersionVector context = change.context;
  row.exact = change.own.next() < batch.first_seq;
  if (row.exact) context.raise(batch.actor, change.own);
  for (const FormerActor& each : former) {
    const Seq seen = context.get(each.actor);
    if (seen <= each.final_seq) continue;
    context.erase(each.actor);
    context.raise(each.actor, each.final_seq);
  }
  row.context = context.bytes();
}

}  // namespace

Result<std::vector<UnsealedRow>> unseal(const Batch& batch, std::span<const FormerActor> former) {
  const std::uint64_t tag = tag_of(batch);
  // Beyond what a database counts its own transactions to.
  const auto transaction = static_cast<std::int64_t>((tag >> 2) | std::uint64_t{1} << 62);
  std::vector<UnsealedRow> rows;
  for (const Delta& delta : batch.deltas) {
    const crdt::Type* type = crdt::find_type(delta.type);
    if (type == nullptr) {
      return fail(ErrorKind::kPoison, "this program does not know type \"" + delta.type + "\"");
    }
    TRIBUTARY_TRY(type->touched(delta.body, bounds_of(batch)).map([](const auto&) {}));
    for (crdt::UnsealedChange& change : type->unseal(delta.body, batch.contexts)) {
      UnsealedRow row{.id = static_cast<std::int64_t>(rows.size()) + 1,
                      .transaction = transaction,
                      .key = delta.key,
                      .type = delta.type,
                      .operation = std::string(change.operation),
                      .value = std::nullopt,
                      .amount = std::nullopt,
                      .hlc = batch.hlc,
                      .tag = tag};
      const crdt::Operation& operation = *crdt::find_operation(*type, change.operation);
      if (crdt::takes_value(operation.operand)) row.value = std::move(change.value);
      if (crdt::takes_amount(operation.operand)) row.amount = change.amount;
      if (operation.observes) tell_context(change, batch, former, row);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace tributary

#include "outbox/batch/unsealing.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include <tributary/crdt/type.h>

namespace tributary {
namespace {

/// Rows' tags are random; pieces of one large transaction may share them, and begin with other ids.
std::uint64_t tag_of(const Batch& batch) {
  if (batch.rows.empty()) return batch.actor.value ^ batch.first_seq.value;
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15U;
  const ConsumedRows& first = batch.rows.front();
  return first.tag ^ (static_cast<std::uint64_t>(first.first_id) * kSpread);
}

/// What writers had seen, each once: a thousand removes may share the contexts of a thousand
/// actors.
class Contexts {
 public:
  Contexts(const Batch& batch, std::span<const FormerActor> former)
      : batch_(batch), former_(former) {}

  /// Of the actor's own changes: mostly all before the batch, as any row has; else no more than the
  /// writer said.
  void tell(const crdt::UnsealedChange& change, UnsealedRow& row) {
    row.exact = change.own.next() < batch_.first_seq;
    const Seq own = row.exact ? change.own : Seq{};
    auto& told = told_[{change.context, own}];
    if (!told) told = make(*change.context, own);
    row.context = told;
  }

 private:
  [[nodiscard]] std::shared_ptr<const std::string> make(VersionVector context, Seq own) const {
    context.raise(batch_.actor, own);
    for (const FormerActor& each : former_) {
      const Seq seen = context.get(each.actor);
      if (seen <= each.final_seq) continue;
      context.erase(each.actor);
      context.raise(each.actor, each.final_seq);
    }
    return std::make_shared<const std::string>(context.bytes());
  }

  const Batch& batch_;
  std::span<const FormerActor> former_;
  std::map<std::pair<const VersionVector*, Seq>, std::shared_ptr<const std::string>> told_;
};

}  // namespace

Result<std::vector<UnsealedRow>> unseal(const Batch& batch, std::span<const FormerActor> former) {
  const std::uint64_t tag = tag_of(batch);
  // Beyond what a database counts its own transactions to.
  const auto transaction = static_cast<std::int64_t>((tag >> 2) | std::uint64_t{1} << 62);
  Contexts contexts(batch, former);
  std::vector<UnsealedRow> rows;
  for (const Delta& delta : batch.deltas) {
    const crdt::Type* type = delta.type.known;
    if (type == nullptr) {
      return fail(ErrorKind::kPoison,
                  "this program does not know type \"" + delta.type.name + "\"");
    }
    TRIBUTARY_TRY(type->touched(delta.body, bounds_of(batch)).map([](const auto&) {}));
    for (crdt::UnsealedChange& change : type->unseal(delta.body, batch.contexts)) {
      UnsealedRow row{.id = static_cast<std::int64_t>(rows.size()) + 1,
                      .transaction = transaction,
                      .key = delta.key,
                      .type = delta.type.name,
                      .operation = std::string(change.operation),
                      .value = std::nullopt,
                      .amount = std::nullopt,
                      .hlc = batch.hlc,
                      .tag = tag};
      const crdt::Operation& operation = *crdt::find_operation(*type, change.operation);
      if (crdt::takes_value(operation.operand)) row.value = std::move(change.value);
      if (crdt::takes_amount(operation.operand)) row.amount = change.amount;
      if (operation.observes) contexts.tell(change, row);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace tributary

#include <algorithm>
#include <array>

#include <tributary/base/bytes.h>
#include <tributary/crdt/type.h>
#include <tributary/crdt/types/counter.h>

#include "crdt/kernel/running_totals.h"

namespace tributary::crdt {
namespace {

using kernel::RunningTotals;

constexpr std::string_view kTotalsField = "t";

constexpr std::array kOperations{
    Operation{.name = "add", .operand = Operand::kAmount, .accumulates = true},
};
constexpr const Operation& kAdd = kOperations[0];

/// The actor's totals, and how much of them the batch has added.
struct CounterDelta {
  Totals totals;
  Totals added;
};

CounterDelta decode_delta(ByteReader& in) {
  const Totals totals = kernel::decode_totals(in);
  const Totals added = kernel::decode_totals(in);
  const bool within =
      added.increments <= totals.increments && added.decrements <= totals.decrements;
  if (!within) in.fail();
  return {totals, added};
}

CounterDelta decode_delta(std::string_view delta) {
  ByteReader in(delta);
  return decode_delta(in);
}

std::string seal(ActorId /*actor*/, std::span<const SealedChange> changes,
                 ContextTable& /*contexts*/) {
  Totals added;
  for (const SealedChange& change : changes) {
    if (change.amount >= 0) added.increments += change.amount;
    else added.decrements -= change.amount;
  }
  ByteWriter out;
  kernel::encode(out, changes.back().totals);
  kernel::encode(out, added);
  return out.take();
}

std::vector<UnsealedChange> unseal(std::string_view delta,
                                   std::span<const VersionVector> /*contexts*/) {
  const Totals added = decode_delta(delta).added;
  std::vector<UnsealedChange> changes;
  for (const std::int64_t amount : {added.increments, -added.decrements}) {
    if (amount != 0) changes.push_back({.operation = kAdd.name, .amount = amount});
  }
  if (changes.empty()) changes.push_back({.operation = kAdd.name});
  return changes;
}

std::vector<FieldTotals> totals(std::string_view delta) {
  return {{{}, decode_delta(delta).totals}};
}

Result<FieldSelection> touched(std::string_view delta, const DeltaBounds& /*bounds*/) {
  ByteReader in(delta);
  static_cast<void>(decode_delta(in));
  if (!in.finished()) return fail(ErrorKind::kPoison, "the bytes are not a counter's delta");
  return FieldSelection{false, {std::string(kTotalsField)}};
}

RunningTotals read(const State& state) {
  const std::string* bytes = state.find(kTotalsField);
  return bytes == nullptr ? RunningTotals{} : RunningTotals::decode(*bytes);  // intact() was asked
}

void write(State& state, const RunningTotals& totals, ViewEdits& edits) {
  std::string bytes = totals.encoded();
  const std::string* before = state.find(kTotalsField);
  if (before != nullptr && *before == bytes) return;
  state.set(kTotalsField, std::move(bytes));
  edits.emplace_back(SetString{totals.sum()});
}

JoinResult join(std::string_view delta, const DeltaSource& source, State& state, ViewEdits& edits) {
  RunningTotals totals = read(state);
  totals.raise(source.actor, decode_delta(delta).totals);
  write(state, totals, edits);
  return {};
}

bool intact(const State& state) {
  return std::ranges::all_of(state.fields(), [](const State::Field& field) {
    return !field.value || (field.name == kTotalsField && RunningTotals::wrote(*field.value));
  });
}

JoinResult merge(State& mine, const VersionVector& /*my_watermark*/, const State& theirs,
                 const VersionVector& /*their_watermark*/) {
  RunningTotals totals = read(mine);
  totals.raise(read(theirs));
  ViewEdits unused;
  if (!totals.empty()) write(mine, totals, unused);
  return {};
}

ViewEdits render(const State& state) {
  if (state.find(kTotalsField) == nullptr) return {};
  return {SetString{read(state).sum()}};
}

}  // namespace

extern const Type kCounter;
constinit const Type kCounter{
    .name = "counter",
    .view = ViewKind::kString,
    .operations = kOperations,
    .head = kTotalsField,
    .seal = seal,
    .unseal = unseal,
    .totals = totals,
    .touched = touched,
    .join = join,
    .intact = intact,
    .merge = merge,
    .render = render,
};

}  // namespace tributary::crdt

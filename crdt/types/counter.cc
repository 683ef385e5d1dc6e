#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <tributary/base/bytes.h>
#include <tributary/crdt/type.h>
#include <tributary/crdt/types/counter.h>

#include "base/check.h"

namespace tributary::crdt {
namespace {

constexpr std::string_view kTotalsField = "t";
constexpr std::string_view kAdd = "add";

struct ActorTotals {
  ActorId actor;
  Totals totals;
};

constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();

/// Reads increments, then decrements.
Totals decode_totals(ByteReader& in) {
  const std::uint64_t increments = in.varint();
  const std::uint64_t decrements = in.varint();
  if (increments > kMost || decrements > kMost) in.fail();
  return {static_cast<std::int64_t>(increments), static_cast<std::int64_t>(decrements)};
}

/// Calls each(ActorTotals) in actor order; leaves `in` not ok() on bytes that encode_state() did
/// not write.
template <typename Each>
void decode_each(ByteReader& in, Each each) {
  std::optional<ActorId> last;
  while (in.ok() && !in.at_end()) {
    const ActorId actor{in.fixed64()};
    if (last && actor <= *last) in.fail();
    last = actor;
    each(ActorTotals{actor, decode_totals(in)});
  }
}

std::vector<ActorTotals> decode_state(const State& state) {
  const std::string* bytes = state.find(kTotalsField);
  if (bytes == nullptr) return {};
  ByteReader in(*bytes);
  std::vector<ActorTotals> all;
  decode_each(in, [&](const ActorTotals& each) { all.push_back(each); });
  CHECK(in.ok());  // intact() was asked
  return all;
}

bool intact(const State& state) {
  return std::all_of(state.fields().begin(), state.fields().end(), [](const State::Field& field) {
    if (!field.value) return true;
    ByteReader in(*field.value);
    bool any = false;
    decode_each(in, [&](const ActorTotals& /*each*/) { any = true; });
    return field.name == kTotalsField && any && in.ok();
  });
}

std::string encode_state(const std::vector<ActorTotals>& all) {
  ByteWriter out;
  for (const ActorTotals& each : all) {
    out.fixed64(each.actor.value);
    out.varint(static_cast<std::uint64_t>(each.totals.increments));
    out.varint(static_cast<std::uint64_t>(each.totals.decrements));
  }
  return out.take();
}

void raise(std::vector<ActorTotals>& all, ActorId actor, const Totals& totals) {
  const auto at =
      std::lower_bound(all.begin(), all.end(), actor,
                       [](const ActorTotals& each, ActorId wanted) { return each.actor < wanted; });
  if (at == all.end() || at->actor != actor) {
    all.insert(at, {actor, totals});
    return;
  }
  at->totals.increments = std::max(at->totals.increments, totals.increments);
  at->totals.decrements = std::max(at->totals.decrements, totals.decrements);
}

/// Decimal digits of the sum over all actors, which may need more than 64 bits.
std::string value_of(const std::vector<ActorTotals>& all) {
  __extension__ using Wide = __int128;
  Wide sum = 0;
  for (const ActorTotals& each : all) sum += Wide{each.totals.increments} - each.totals.decrements;
  const bool negative = sum < 0;
  if (negative) sum = -sum;
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(sum % 10)));
    sum /= 10;
  } while (sum != 0);
  if (negative) digits.push_back('-');
  std::reverse(digits.begin(), digits.end());
  return digits;
}

void write_state(State& state, const std::vector<ActorTotals>& all, ViewEdits& edits) {
  std::string bytes = encode_state(all);
  const std::string* before = state.find(kTotalsField);
  if (before != nullptr && *before == bytes) return;
  state.set(kTotalsField, std::move(bytes));
  edits.push_back({ViewEdit::Action::kPut, {}, value_of(all)});
}

std::string seal(ActorId /*actor*/, std::span<const SealedChange> changes,
                 ContextTable& /*contexts*/) {
  Totals added;
  for (const SealedChange& change : changes) {
    if (change.amount >= 0) added.increments += change.amount;
    else added.decrements -= change.amount;
  }
  ByteWriter out;
  for (const Totals& each : {changes.back().totals, added}) {
    out.varint(static_cast<std::uint64_t>(each.increments));
    out.varint(static_cast<std::uint64_t>(each.decrements));
  }
  return out.take();
}

struct CounterDelta {
  Totals totals;
  Totals added;
};

CounterDelta decode_delta(ByteReader& in) {
  const Totals totals = decode_totals(in);
  const Totals added = decode_totals(in);
  const bool within =
      added.increments <= totals.increments && added.decrements <= totals.decrements;
  if (!within) in.fail();
  return {totals, added};
}

CounterDelta decode_delta(std::string_view delta) {
  ByteReader in(delta);
  return decode_delta(in);
}

std::vector<UnsealedChange> unseal(std::string_view delta,
                                   std::span<const VersionVector> /*contexts*/) {
  const Totals added = decode_delta(delta).added;
  std::vector<UnsealedChange> changes;
  for (const std::int64_t amount : {added.increments, -added.decrements}) {
    if (amount != 0) changes.push_back({.operation = kAdd, .amount = amount});
  }
  if (changes.empty()) changes.push_back({.operation = kAdd});
  return changes;
}

Result<FieldSelection> touched(std::string_view delta, const DeltaBounds& /*bounds*/) {
  ByteReader in(delta);
  static_cast<void>(decode_delta(in));
  if (!in.finished()) return fail(ErrorKind::kPoison, "the bytes are not a counter's delta");
  return FieldSelection{false, {std::string(kTotalsField)}};
}

std::vector<FieldTotals> totals(std::string_view delta) {
  return {{{}, decode_delta(delta).totals}};
}

JoinResult join(std::string_view delta, const DeltaSource& source, State& state, ViewEdits& edits) {
  std::vector<ActorTotals> all = decode_state(state);
  raise(all, source.actor, decode_delta(delta).totals);
  write_state(state, all, edits);
  return {};
}

JoinResult merge(State& mine, const VersionVector& /*my_watermark*/, const State& theirs,
                 const VersionVector& /*their_watermark*/) {
  std::vector<ActorTotals> all = decode_state(mine);
  for (const ActorTotals& each : decode_state(theirs)) raise(all, each.actor, each.totals);
  ViewEdits unused;
  if (!all.empty()) write_state(mine, all, unused);
  return {};
}

FieldSelection deferred(const State& /*state*/) { return {}; }

VersionVector awaited(const State& /*state*/) { return {}; }

JoinResult prune(State& /*state*/, const VersionVector& /*watermark*/) { return {}; }

ViewEdits render(const State& state) {
  if (state.find(kTotalsField) == nullptr) return {};
  return {{ViewEdit::Action::kPut, {}, value_of(decode_state(state))}};
}

constexpr std::array kOperations{
    Operation{.name = kAdd, .operand = Operand::kAmount, .accumulates = true},
};

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
    .deferred = deferred,
    .awaited = awaited,
    .prune = prune,
    .render = render,
};

}  // namespace tributary::crdt

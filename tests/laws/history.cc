#include "tests/laws/history.h"

#include <algorithm>
#include <array>
#include <ostream>

namespace tributary::laws {
namespace {

using namespace std::string_view_literals;

/// Small alphabets, so that changes meet. Values beside a field are numbers: a type may ask for
/// them.
constexpr std::array kFields{"f"sv, "g"sv};
constexpr std::array kValues{"1"sv, "2"sv, ""sv};
constexpr std::array kFieldValues{"1"sv, "2"sv, "-3.5"sv};
constexpr std::int64_t kLeastAmount = -3;
constexpr std::int64_t kMostAmount = 4;

void fill_operands(Event& event, Dice& dice) {
  const crdt::Operand operand = event.operation->operand;
  if (crdt::takes_field(operand)) event.field = dice.pick<std::string_view>(kFields);
  if (operand == crdt::Operand::kValue) event.value = dice.pick<std::string_view>(kValues);
  if (operand == crdt::Operand::kFieldValue) {
    event.value = dice.pick<std::string_view>(kFieldValues);
  }
  if (crdt::takes_amount(operand)) event.amount = dice.between(kLeastAmount, kMostAmount);
}

}  // namespace

bool Event::saw(const Event& other) const {
  if (other.actor == actor) return other.seq <= own;
  return context && other.seq <= context->get(other.actor);
}

std::ostream& operator<<(std::ostream& out, const Event& event) {
  out << event.actor.hex() << ':' << event.seq.value << " key " << event.key << ' '
      << event.operation->name;
  if (crdt::takes_field(event.operation->operand)) out << " field \"" << event.field << '"';
  if (crdt::takes_value(event.operation->operand)) out << " \"" << event.value << '"';
  if (crdt::takes_amount(event.operation->operand)) out << ' ' << event.amount;
  out << " at " << event.hlc.value;
  if (event.context) {
    out << " having seen";
    for (const auto& [actor, seq] : *event.context) out << ' ' << actor.hex() << ':' << seq.value;
    out << " own " << event.own.value;
  }
  return out;
}

crdt::DeltaBounds bounds_of(const SealedDeltas& batch) {
  return {batch.first, batch.last, batch.hlc, batch.contexts.size()};
}

SealedDeltas seal_deltas(const crdt::Type& type, std::span<const Event> events) {
  SealedDeltas batch{
      events.front().actor, events.front().seq, events.back().seq, events.back().hlc, {}, {}};
  crdt::ContextTable contexts;
  for (std::size_t key = 0; key < kKeys; ++key) {
    std::vector<crdt::SealedChange> changes;
    for (const Event& event : events) {
      if (event.key != key) continue;
      changes.push_back({event.seq, event.hlc, event.operation, event.field, event.value,
                         event.amount, event.totals, event.context ? &*event.context : nullptr,
                         event.own});
    }
    if (changes.empty()) continue;
    batch.deltas.push_back({key, changes.back().seq, type.seal(batch.actor, changes, contexts)});
  }
  batch.contexts = contexts.contexts();
  return batch;
}

const Event& Author::write(const crdt::Type& type, Surroundings surroundings, Dice& dice) {
  Event event;
  event.actor = actor_;
  event.seq = Seq{events_.size() + 1};
  const Hlc previous = events_.empty() ? Hlc{} : events_.back().hlc;
  event.hlc = seal_hlc(surroundings.written, previous, surroundings.latest);
  event.key = dice.below(kKeys);
  event.operation = &type.operations[dice.below(type.operations.size())];
  fill_operands(event, dice);
  if (event.operation->accumulates) {
    crdt::Totals& totals = totals_[{event.key, event.field}];
    (event.amount >= 0 ? totals.increments : totals.decrements) +=
        event.amount >= 0 ? event.amount : -event.amount;
    event.totals = totals;
  }
  event.own = Seq{event.seq.value - 1};
  if (surroundings.exact) event.own = Seq{dice.below(event.seq.value)};
  if (event.operation->observes && !surroundings.without_context) {
    surroundings.context.erase(actor_);
    event.context = std::move(surroundings.context);
  }
  return events_.emplace_back(std::move(event));
}

void Author::seal(const crdt::Type& type, std::size_t count) {
  count = std::min(count, unsealed());
  if (count == 0) return;
  batches_.push_back(seal_deltas(type, std::span(events_).subspan(sealed_, count)));
  sealed_ += count;
}

const SealedDeltas* Author::after(Seq watermark) const {
  const auto next =
      std::lower_bound(batches_.begin(), batches_.end(), watermark.next(),
                       [](const SealedDeltas& batch, Seq wanted) { return batch.first < wanted; });
  return next == batches_.end() ? nullptr : &*next;
}

}  // namespace tributary::laws

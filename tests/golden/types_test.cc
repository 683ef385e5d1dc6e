/// Deltas and states of every registered type; a new one gets its files by `./dev golden`.
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <tributary/crdt/type.h>

#include "outbox/batch/batch.h"
#include "tests/golden/golden.h"

namespace tributary::golden {
namespace {

constexpr ActorId kFirst{0x1122334455667788U};
constexpr ActorId kSecond{0x8877665544332211U};
constexpr ActorId kNotHere{0xfedcba9876543210U};  ///< of whom the second had seen changes

/// All changes of one actor: each operation on one operand, then in turn each on another.
class Writer {
 public:
  Writer(const crdt::Type& type, ActorId actor, VersionVector context)
      : type_(type), actor_(actor), context_(std::move(context)) {}

  void write(const crdt::Operation& operation, std::string_view operand, std::int64_t amount) {
    crdt::SealedChange change;
    change.seq = Seq{changes_.size() + 1};
    change.hlc = Hlc::from_micros(1'764'000'000'000'000 + changes_.size());
    change.operation = &operation;
    if (takes_field(operation.operand)) change.field = operand;
    if (takes_value(operation.operand)) change.value = operand;
    if (takes_amount(operation.operand)) change.amount = amount;
    if (operation.accumulates) {
      (amount < 0 ? totals_.decrements : totals_.increments) += std::abs(amount);
      change.totals = totals_;
    }
    if (operation.observes) {
      change.context = &context_;
      change.own = Seq{changes_.size()};
    }
    changes_.push_back(change);
  }

  /// The delta; joined into `state`, too.
  std::string join_into(crdt::State& state) const {
    crdt::ContextTable contexts;
    std::string delta = type_.seal(actor_, changes_, contexts);
    const crdt::SealedChange& last = changes_.back();
    REQUIRE(type_.touched(delta, {Seq{1}, last.seq, last.hlc, contexts.contexts().size()}));
    const VersionVector nothing;
    crdt::ViewEdits edits;
    type_.join(delta, {actor_, last.seq, contexts.contexts(), &nothing}, state, edits);
    return delta;
  }

 private:
  const crdt::Type& type_;
  ActorId actor_;
  VersionVector context_;
  crdt::Totals totals_;
  std::vector<crdt::SealedChange> changes_;
};

void write_all(Writer& writer, const crdt::Type& type, std::string_view one,
               std::string_view other) {
  for (const crdt::Operation& each : type.operations) writer.write(each, one, 1'000'000);
  for (auto each = type.operations.rbegin(); each != type.operations.rend(); ++each) {
    writer.write(*each, other, -3);
  }
}

std::string shown(const crdt::Type& type, const crdt::State& state) {
  std::string text;
  for (const crdt::State::Field& field : state.fields()) {
    if (field.value) text += "field " + field.name + "\n" + hex(*field.value);
  }
  text += "view, a " + std::string(to_string(type.view)) + "\n";
  for (const crdt::ViewEdit& edit : type.render(state)) {
    const crdt::ViewEntry entry = *crdt::entry_of(edit);
    text.append("  ").append(entry.name).append("|").append(entry.value).append("\n");
  }
  return text;
}

TEST_CASE("deltas and states of every type are these bytes") {
  for (const crdt::Type* type : crdt::types()) {
    VersionVector seen;
    seen.raise(kFirst, Seq{1});
    seen.raise(kNotHere, Seq{300});
    Writer first(*type, kFirst, {});
    Writer second(*type, kSecond, seen);
    write_all(first, *type, "apple", "pear");
    write_all(second, *type, "pear", "plum");
    crdt::State state;
    state.set_complete();
    const std::string deltas = "of one who had seen nothing\n" + hex(first.join_into(state)) +
                               "of one who had seen more than is here\n" +
                               hex(second.join_into(state));
    const std::string name(type->name);
    check("delta_" + name + ".txt", {kBatchFormat, "kBatchFormat in outbox/batch/batch.h"}, deltas);
    check("state_" + name + ".txt", {kStateFormat, "kStateFormat in tests/golden/golden.h"},
          shown(*type, state));
  }
}

}  // namespace
}  // namespace tributary::golden

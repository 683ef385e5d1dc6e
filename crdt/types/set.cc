#include <algorithm>
#include <array>

#include <tributary/crdt/type.h>
#include <tributary/crdt/types/set.h>

#include "crdt/kernel/dotted_join.h"
#include "crdt/kernel/dotted_store.h"

namespace tributary::crdt {
namespace {

constexpr std::array kOperations{
    Operation{.name = "add", .operand = Operand::kValue, .repeatable = true},
    Operation{.name = "remove", .operand = Operand::kValue, .observes = true, .repeatable = true},
    Operation{.name = "clear", .observes = true},
};
constexpr const Operation& kAdd = kOperations[0];
constexpr const Operation& kRemove = kOperations[1];
constexpr const Operation& kClear = kOperations[2];

std::string seal(ActorId /*actor*/, std::span<const SealedChange> changes, ContextTable& contexts) {
  kernel::DottedDraft draft;
  for (const SealedChange& change : changes) {
    if (change.operation == &kClear) draft.clear(change);
    else if (change.operation == &kAdd) draft.add(change.value, change.seq);
    else draft.remove(change.value, change);
  }
  return draft.encoded(contexts);
}

/// An add that a remove of the same delta took away again was told to nobody, and is left out.
std::vector<UnsealedChange> unseal(std::string_view bytes,
                                   std::span<const VersionVector> contexts) {
  const auto delta = kernel::decode_dotted(bytes, contexts.size());
  std::vector<UnsealedChange> changes;
  if (delta->clear.observed) {
    changes.push_back(kernel::unsealed(kClear.name, {}, delta->clear, contexts));
  }
  for (const kernel::ElementDelta& each : delta->elements) {
    if (each.removal.observed) {
      changes.push_back(kernel::unsealed(kRemove.name, each.element, each.removal, contexts));
    }
    if (each.added <= std::max(each.removal.own, delta->clear.own)) continue;
    changes.push_back({.operation = kAdd.name, .value = std::string(each.element)});
  }
  return changes;
}

Result<FieldSelection> touched(std::string_view bytes, const DeltaBounds& bounds) {
  const auto delta = kernel::decode_dotted(bytes, bounds.context_count);
  if (!delta) return fail(ErrorKind::kPoison, "the bytes are not a set's delta");
  if (!kernel::within(*delta, bounds)) {
    return fail(ErrorKind::kPoison, "the set's delta claims a seq beyond its batch");
  }
  return kernel::touched(*delta);
}

class MemberEdits final : public kernel::Watcher {
 public:
  explicit MemberEdits(ViewEdits& edits) : edits_(edits) {}

  void shown(std::string_view element) override {
    edits_.emplace_back(AddMember{std::string(element)});
  }
  void gone(std::string_view element) override {
    edits_.emplace_back(Remove{std::string(element)});
  }
  /// One edit instead of as many as there were members.
  void all_gone() override {
    if (!edits_.empty()) edits_.assign(1, DropView{});
  }

 private:
  ViewEdits& edits_;
};

JoinResult join(std::string_view bytes, const DeltaSource& source, State& state, ViewEdits& edits) {
  MemberEdits members(edits);
  return kernel::join(*kernel::decode_dotted(bytes, source.contexts.size()), source, state,
                      members);
}

ViewEdits render(const State& state) {
  ViewEdits edits;
  for (const State::Field& field : state.fields()) {
    const auto element = kernel::element_of(field);
    if (!element || !kernel::read_entry(state, field.name).visible()) continue;
    edits.emplace_back(AddMember{std::string(*element)});
  }
  return edits;
}

}  // namespace

extern const Type kSet;
constinit const Type kSet{
    .name = "set",
    .view = ViewKind::kSet,
    .operations = kOperations,
    .head = kernel::kHeadField,
    .defers = true,
    .seal = seal,
    .unseal = unseal,
    .touched = touched,
    .join = join,
    .intact = kernel::intact_dotted,
    .merge = kernel::merge_dotted,
    .deferred = kernel::deferred_fields,
    .awaited = kernel::awaited_seqs,
    .prune = kernel::prune_dotted,
    .render = render,
};

}  // namespace tributary::crdt

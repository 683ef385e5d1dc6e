#include "tests/laws/replica.h"

#include <algorithm>
#include <sstream>

#include "tests/laws/law.h"

namespace tributary::laws {

Fields fields_of(const crdt::State& state) {
  Fields fields;
  for (const crdt::State::Field& field : state.fields()) {
    if (field.value) fields.emplace_back(field.name, *field.value);
  }
  return fields;
}

crdt::State load(const crdt::State& from, const crdt::FieldSelection& selection) {
  crdt::State state;
  for (const std::string& name : selection.names) {
    const std::string* value = from.find(name);
    state.load(name, value == nullptr ? std::nullopt : std::optional(*value));
  }
  if (selection.all) {
    for (const crdt::State::Field& field : from.fields()) {
      if (field.value) state.load(field.name, field.value);
    }
    state.set_complete();
  }
  state.settle();
  return state;
}

bool Replica::exact() const {
  return std::all_of(ahead.begin(), ahead.end(), [&](const VersionVector::Entry& entry) {
    return watermark.covers({entry.first, entry.second});
  });
}

crdt::ViewEdits join(const crdt::Type& type, Replica& replica, const SealedDeltas& batch,
                     const KeyDelta& delta) {
  const auto touched = type.touched(delta.body, bounds_of(batch));
  require(touched.has_value(), "touched() refuses a delta that seal() made");
  KeyCopy& copy = replica.keys[delta.key];
  const crdt::DeltaSource source{batch.actor, delta.last_seq, batch.contexts, &replica.watermark};
  crdt::ViewEdits edits;
  type.join(delta.body, source, copy.state, edits);
  carry_out(copy.view, type.view, edits);
  replica.ahead.raise(batch.actor, delta.last_seq);
  return edits;
}

void apply(const crdt::Type& type, Replica& replica, const SealedDeltas& batch) {
  for (const KeyDelta& delta : batch.deltas) join(type, replica, batch, delta);
  replica.watermark.raise(batch.actor, batch.last);
}

void merge_key(const crdt::Type& type, Replica& mine, const Replica& theirs, std::size_t key) {
  KeyCopy& copy = mine.keys[key];
  type.merge(copy.state, mine.watermark, theirs.keys[key].state, theirs.watermark);
  copy.view = shown(type, copy.state);
  mine.ahead.join(theirs.watermark);
  mine.ahead.join(theirs.ahead);
}

void merge(const crdt::Type& type, Replica& mine, const Replica& theirs) {
  for (std::size_t key = 0; key < kKeys; ++key) merge_key(type, mine, theirs, key);
  mine.watermark.join(theirs.watermark);
}

Fields pruned(const crdt::Type& type, const KeyCopy& copy, const VersionVector& watermark) {
  crdt::State state = copy.state;
  const View before = shown(type, state);
  type.prune(state, watermark);
  require(shown(type, state) == before, "pruning changed what a state shows");
  return fields_of(state);
}

View shown(const crdt::Type& type, const crdt::State& state) {
  View view;
  carry_out(view, type.view, type.render(state));
  return view;
}

void require_equal(const crdt::Type& type, const Replica& a, const Replica& b,
                   const VersionVector& watermark, std::string_view otherwise) {
  for (std::size_t key = 0; key < kKeys; ++key) {
    const bool same_view = a.keys[key].view == b.keys[key].view;
    if (same_view && pruned(type, a.keys[key], watermark) == pruned(type, b.keys[key], watermark)) {
      continue;
    }
    std::ostringstream what;
    what << otherwise << ": " << (same_view ? "the bytes" : "the views") << " of key " << key
         << " differ; one shows" << a.keys[key].view << ", the other" << b.keys[key].view;
    throw Broken(what.str());
  }
}

}  // namespace tributary::laws

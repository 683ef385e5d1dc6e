#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>

#include <tributary/crdt/type.h>
#include <tributary/crdt/types/set.h>

#include "crdt/types/set_codec.h"

namespace tributary::crdt {
namespace {

using set_codec::ElementDelta;
using set_codec::Entry;
using set_codec::Head;
using set_codec::kElementPrefix;
using set_codec::kHeadField;
using set_codec::Removal;
using set_codec::SetDelta;

constexpr std::string_view kAdd = "add";
constexpr std::string_view kRemove = "remove";
constexpr std::string_view kClear = "clear";

// ---- sealing -------------------------------------------------------------------------------

/// A removal while several changes are being joined: contexts join pointwise.
struct PendingRemoval {
  bool observed = false;
  Seq own;
  VersionVector context;

  void add(const SealedChange& change) {
    observed = true;
    own = std::max(own, change.own);
    if (change.context != nullptr) context.join(*change.context);
  }
  [[nodiscard]] Removal interned(ContextTable& contexts) const {
    if (!observed) return {};
    return {own, contexts.intern(context), true};
  }
};

struct PendingElement {
  Seq added;
  PendingRemoval removal;
};

std::string seal(ActorId /*actor*/, std::span<const SealedChange> changes, ContextTable& contexts) {
  PendingRemoval clear;
  std::map<std::string_view, PendingElement> elements;
  for (const SealedChange& change : changes) {
    if (change.operation->name == kClear) clear.add(change);
    else if (change.operation->name == kAdd) elements[change.value].added = change.seq;
    else elements[change.value].removal.add(change);
  }
  SetDelta delta;
  delta.clear = clear.interned(contexts);
  for (const auto& [element, pending] : elements) {
    delta.elements.push_back({element, pending.added, pending.removal.interned(contexts)});
  }
  return set_codec::encode(delta);
}

// ---- telling what was sealed ---------------------------------------------------------------

UnsealedChange removal_of(std::string_view operation, std::string_view element,
                          const Removal& removal, std::span<const VersionVector> contexts) {
  return {.operation = operation,
          .value = std::string(element),
          .context = &contexts[removal.context],
          .own = removal.own};
}

/// An add that a remove of the same delta took away again was told to nobody, and is left out.
std::vector<UnsealedChange> unseal(std::string_view bytes,
                                   std::span<const VersionVector> contexts) {
  const auto delta = set_codec::decode_delta(bytes, contexts.size());
  std::vector<UnsealedChange> changes;
  if (delta->clear.observed) changes.push_back(removal_of(kClear, {}, delta->clear, contexts));
  for (const ElementDelta& each : delta->elements) {
    if (each.removal.observed) {
      changes.push_back(removal_of(kRemove, each.element, each.removal, contexts));
    }
    if (each.added <= std::max(each.removal.own, delta->clear.own)) continue;
    changes.push_back({.operation = kAdd, .value = std::string(each.element)});
  }
  return changes;
}

// ---- joining a delta -----------------------------------------------------------------------

std::vector<FieldTotals> totals(std::string_view /*delta*/) { return {}; }

/// An add has its dot within the batch, and a remove saw at most what came before it.
bool within(const SetDelta& delta, const DeltaBounds& bounds) {
  if (delta.clear.observed && delta.clear.own >= bounds.last_seq) return false;
  return std::all_of(delta.elements.begin(), delta.elements.end(), [&](const ElementDelta& each) {
    const bool added = each.added != Seq{};
    if (added && (each.added < bounds.first_seq || each.added > bounds.last_seq)) return false;
    return !each.removal.observed || each.removal.own < bounds.last_seq;
  });
}

Result<FieldSelection> touched(std::string_view bytes, const DeltaBounds& bounds) {
  const auto delta = set_codec::decode_delta(bytes, bounds.context_count);
  if (!delta) return fail(ErrorKind::kPoison, "the bytes are not a set's delta");
  if (!within(*delta, bounds)) {
    return fail(ErrorKind::kPoison, "the set's delta claims a seq beyond its batch");
  }
  FieldSelection selection{delta->clear.observed, {}};
  selection.names.reserve(delta->elements.size() + 1);
  selection.names.emplace_back(kHeadField);
  for (const ElementDelta& each : delta->elements) {
    selection.names.push_back(set_codec::element_field(each.element));
  }
  return selection;
}

/// Joins one delta into the element entries, keeping the head and the view in step.
class Joiner {
 public:
  Joiner(const DeltaSource& source, State& state, ViewEdits& edits)
      : source_(source), state_(state), edits_(edits), head_(set_codec::read_head(state)) {}

  [[nodiscard]] bool seen() const { return source_.last_seq <= head_.clock.get(source_.actor); }

  void clear(const Removal& removal) {
    std::vector<std::string> fields;
    for (const State::Field& field : state_.fields()) {
      if (field.value && field.name.front() == kElementPrefix) fields.push_back(field.name);
    }
    bool all = !fields.empty();
    for (const std::string& field : fields) {
      Entry entry = set_codec::read_entry(state_, field);
      const bool was_visible = !entry.dots.empty();
      drop_observed(entry.dots, removal);
      all = all && entry.dots.empty();
      store(field, entry, was_visible);
    }
    // Nothing is left to see: one edit instead of as many as there were members.
    if (all && !edits_.empty()) edits_.assign(1, {ViewEdit::Action::kClear, {}, {}});
    defer(removal, head_.deferred_clear);
  }

  void element(const ElementDelta& delta, const Removal& cleared) {
    const std::string field = set_codec::element_field(delta.element);
    Entry entry = set_codec::read_entry(state_, field);
    const bool was_visible = !entry.dots.empty();
    if (delta.removal.observed) {
      drop_observed(entry.dots, delta.removal);
      defer(delta.removal, entry.deferred);
    }
    const Seq removed = std::max({delta.removal.own, cleared.own, entry.deferred.get(source_.actor),
                                  head_.deferred_clear.get(source_.actor)});
    if (delta.added > removed) entry.dots.raise(source_.actor, delta.added);
    store(field, entry, was_visible);
  }

  JoinResult finish() {
    head_.clock.raise(source_.actor, source_.last_seq);
    list_deferring();
    set_codec::write_head(state_, head_);
    return deferring();
  }

  [[nodiscard]] JoinResult deferring() const {
    return {!head_.deferring.empty() || !head_.deferred_clear.empty()};
  }

 private:
  void drop_observed(VersionVector& dots, const Removal& removal) const {
    const VersionVector& context = source_.contexts[removal.context];
    dots.erase_if([&](const VersionVector::Entry& dot) {
      return dot.second <= (dot.first == source_.actor ? removal.own : context.get(dot.first));
    });
  }

  /// Keeps of the removal's context what this replica has not received yet.
  void defer(const Removal& removal, VersionVector& deferred) {
    const auto [known, fresh] = ahead_.try_emplace(removal.context);
    if (fresh) {
      for (const auto& [actor, seq] : source_.contexts[removal.context]) {
        const bool received = seq <= source_.watermark->get(actor);
        if (actor != source_.actor && !received) known->second.raise(actor, seq);
      }
    }
    deferred.join(known->second);
  }

  void store(const std::string& field, const Entry& entry, bool was_visible) {
    const std::string_view element = std::string_view(field).substr(1);
    if (was_visible != !entry.dots.empty()) {
      using Action = ViewEdit::Action;
      edits_.push_back({was_visible ? Action::kRemove : Action::kPut, std::string(element), {}});
    }
    set_codec::write_entry(state_, field, entry);
    if (!entry.deferred.empty()) now_deferring_.emplace_back(element);
  }

  /// All at once: one by one, in a sorted list, would take quadratic time.
  void list_deferring() {
    std::sort(now_deferring_.begin(), now_deferring_.end());
    std::vector<std::string> all;
    std::set_union(head_.deferring.begin(), head_.deferring.end(), now_deferring_.begin(),
                   now_deferring_.end(), std::back_inserter(all));
    all.erase(std::unique(all.begin(), all.end()), all.end());
    head_.deferring = std::move(all);
  }

  const DeltaSource& source_;
  State& state_;
  ViewEdits& edits_;
  Head head_;
  std::vector<std::string> now_deferring_;        ///< elements stored with deferred removes
  std::map<std::uint32_t, VersionVector> ahead_;  ///< context -> what of it is not received yet
};

JoinResult join(std::string_view bytes, const DeltaSource& source, State& state, ViewEdits& edits) {
  const auto delta = set_codec::decode_delta(bytes, source.contexts.size());
  Joiner joiner(source, state, edits);
  if (joiner.seen()) return joiner.deferring();
  if (delta->clear.observed) joiner.clear(delta->clear);
  for (const ElementDelta& each : delta->elements) joiner.element(each, delta->clear);
  return joiner.finish();
}

// ---- merging states ------------------------------------------------------------------------

/// One side of a merge.
struct Side {
  Side(const State& state, const VersionVector& watermark)
      : fields(state), head(set_codec::read_head(state)), seen(head.clock) {
    seen.join(watermark);
  }

  const State& fields;
  Head head;
  VersionVector seen;  ///< actor -> every change to this key up to here was joined
};

/// A dot both have, or that the other cannot have removed, lives.
VersionVector merge_dots(const VersionVector& a, const Side& side_a, const VersionVector& b,
                         const Side& side_b) {
  VersionVector dots;
  for (const auto& [actor, seq] : a) {
    if (b.get(actor) != Seq{} || seq > side_b.seen.get(actor)) dots.raise(actor, seq);
  }
  for (const auto& [actor, seq] : b) {
    if (a.get(actor) != Seq{} || seq > side_a.seen.get(actor)) dots.raise(actor, seq);
  }
  return dots;
}

JoinResult prune(State& state, const VersionVector& watermark) {
  Head head = set_codec::read_head(state);
  const auto caught_up = [&](const VersionVector::Entry& entry) {
    return watermark.get(entry.first) >= entry.second;
  };
  head.deferred_clear.erase_if(caught_up);
  std::erase_if(head.deferring, [&](const std::string& element) {
    const std::string field = set_codec::element_field(element);
    Entry entry = set_codec::read_entry(state, field);
    entry.deferred.erase_if(caught_up);
    set_codec::write_entry(state, field, entry);
    return entry.deferred.empty();
  });
  if (state.find(kHeadField) != nullptr) set_codec::write_head(state, head);
  return {!head.deferring.empty() || !head.deferred_clear.empty()};
}

JoinResult merge(State& mine, const VersionVector& my_watermark, const State& theirs,
                 const VersionVector& their_watermark) {
  const Side a(mine, my_watermark);
  const Side b(theirs, their_watermark);
  Head head = a.head;
  head.clock.join(b.head.clock);
  head.deferred_clear.join(b.head.deferred_clear);
  std::set<std::string> fields;
  for (const Side* side : {&a, &b}) {
    for (const State::Field& field : side->fields.fields()) {
      if (field.value && field.name.front() == kElementPrefix) fields.insert(field.name);
    }
  }
  std::set<std::string> deferring;
  for (const std::string& field : fields) {
    const Entry ours = set_codec::read_entry(mine, field);
    const Entry other = set_codec::read_entry(theirs, field);
    Entry entry{merge_dots(ours.dots, a, other.dots, b), ours.deferred};
    entry.deferred.join(other.deferred);
    entry.dots.erase_if([&](const VersionVector::Entry& dot) {
      return dot.second <=
             std::max(entry.deferred.get(dot.first), head.deferred_clear.get(dot.first));
    });
    set_codec::write_entry(mine, field, entry);
    if (!entry.deferred.empty()) deferring.insert(field.substr(1));
  }
  head.deferring.assign(deferring.begin(), deferring.end());
  if (head.clock.empty() && fields.empty()) return {};
  set_codec::write_head(mine, head);
  VersionVector watermark = my_watermark;
  watermark.join(their_watermark);
  return prune(mine, watermark);
}

FieldSelection deferred(const State& state) {
  FieldSelection selection{false, {std::string(kHeadField)}};
  for (const std::string& element : set_codec::read_head(state).deferring) {
    selection.names.push_back(set_codec::element_field(element));
  }
  return selection;
}

VersionVector awaited(const State& state) {
  const Head head = set_codec::read_head(state);
  VersionVector all = head.deferred_clear;
  for (const std::string& element : head.deferring) {
    all.join(set_codec::read_entry(state, set_codec::element_field(element)).deferred);
  }
  return all;
}

ViewEdits render(const State& state) {
  ViewEdits edits;
  for (const State::Field& field : state.fields()) {
    if (!field.value || field.name.front() != kElementPrefix) continue;
    if (set_codec::read_entry(state, field.name).dots.empty()) continue;
    edits.push_back({ViewEdit::Action::kPut, field.name.substr(1), {}});
  }
  return edits;
}

constexpr std::array kOperations{
    Operation{.name = kAdd, .operand = Operand::kValue, .repeatable = true},
    Operation{.name = kRemove, .operand = Operand::kValue, .observes = true, .repeatable = true},
    Operation{.name = kClear, .observes = true},
};

}  // namespace

extern const Type kSet;
constinit const Type kSet{
    .name = "set",
    .view = ViewKind::kSet,
    .operations = kOperations,
    .head = kHeadField,
    .defers = true,
    .seal = seal,
    .unseal = unseal,
    .totals = totals,
    .touched = touched,
    .join = join,
    .intact = set_codec::intact,
    .merge = merge,
    .deferred = deferred,
    .awaited = awaited,
    .prune = prune,
    .render = render,
};

}  // namespace tributary::crdt

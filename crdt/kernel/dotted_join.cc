#include "crdt/kernel/dotted_join.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace tributary::crdt::kernel {
namespace {

/// Joins one delta into the entries, keeping the head and the watcher in step.
class Joiner {
 public:
  Joiner(const DeltaSource& source, State& state, Watcher& watcher)
      : source_(source), state_(state), watcher_(watcher), head_(read_head(state)) {}

  [[nodiscard]] bool seen() const { return source_.last_seq <= head_.clock.get(source_.actor); }

  void clear(const Removal& removal) {
    std::vector<std::string> fields;  // fields() does not outlive a write
    for (const State::Field& field : state_.fields()) {
      if (element_of(field)) fields.push_back(field.name);
    }
    bool all = !fields.empty();
    for (const std::string& field : fields) {
      DottedEntry entry = read_entry(state_, field);
      const bool was_visible = entry.visible();
      drop_observed(entry.dots, removal, source_);
      all = all && !entry.visible();
      store(*element_of(field), field, entry, was_visible);
    }
    if (all) watcher_.all_gone();
    defer(removal, head_.deferred_clear);
  }

  void element(const ElementDelta& delta, const Removal& cleared) {
    const std::string field = field_of(delta.element);
    DottedEntry entry = read_entry(state_, field);
    const bool was_visible = entry.visible();
    if (delta.removal.observed) {
      drop_observed(entry.dots, delta.removal, source_);
      defer(delta.removal, entry.deferred);
    }
    // The batch's own removes saw the adds before them; a remove of another actor may have seen
    // this add before it came here.
    const Seq removed = std::max({delta.removal.own, cleared.own, entry.deferred.get(source_.actor),
                                  head_.deferred_clear.get(source_.actor)});
    if (delta.added > removed) entry.dots.raise(source_.actor, delta.added);
    store(delta.element, field, entry, was_visible);
  }

  JoinResult finish() {
    head_.clock.raise(source_.actor, source_.last_seq);
    list_deferring();
    write_head(state_, head_);
    return head_.result();
  }

  [[nodiscard]] JoinResult result() const { return head_.result(); }

 private:
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

  void store(std::string_view element, const std::string& field, const DottedEntry& entry,
             bool was_visible) {
    if (!was_visible && entry.visible()) watcher_.shown(element);
    if (was_visible && !entry.visible()) watcher_.gone(element);
    write_entry(state_, field, entry);
    if (!entry.deferred.empty()) now_deferring_.emplace_back(element);
  }

  /// All at once: one by one, in a sorted list, would take quadratic time.
  void list_deferring() {
    std::ranges::sort(now_deferring_);
    std::vector<std::string> all;
    std::ranges::set_union(head_.deferring, now_deferring_, std::back_inserter(all));
    all.erase(std::unique(all.begin(), all.end()), all.end());
    head_.deferring = std::move(all);
  }

  const DeltaSource& source_;
  State& state_;
  Watcher& watcher_;
  DottedHead head_;
  std::vector<std::string> now_deferring_;        ///< elements stored with deferred removes
  std::map<std::uint32_t, VersionVector> ahead_;  ///< context -> what of it is not received yet
};

/// One side of a merge.
struct Side {
  Side(const State& fields, const VersionVector& watermark)
      : state(fields), head(read_head(fields)), seen(head.clock) {
    seen.join(watermark);
  }

  const State& state;
  DottedHead head;
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

}  // namespace

JoinResult join(const DottedDelta& delta, const DeltaSource& source, State& state,
                Watcher& watcher) {
  Joiner joiner(source, state, watcher);
  if (joiner.seen()) return joiner.result();
  // A clear goes first: what the same batch adds behind it stays.
  if (delta.clear.observed) joiner.clear(delta.clear);
  for (const ElementDelta& each : delta.elements) joiner.element(each, delta.clear);
  return joiner.finish();
}

JoinResult merge_dotted(State& mine, const VersionVector& my_watermark, const State& theirs,
                        const VersionVector& their_watermark) {
  const Side a(mine, my_watermark);
  const Side b(theirs, their_watermark);
  DottedHead head = a.head;
  head.clock.join(b.head.clock);
  head.deferred_clear.join(b.head.deferred_clear);
  std::set<std::string> elements;
  for (const Side* side : {&a, &b}) {
    for (const State::Field& field : side->state.fields()) {
      if (const auto element = element_of(field)) elements.emplace(*element);
    }
  }
  head.deferring.clear();
  for (const std::string& element : elements) {
    const std::string field = field_of(element);
    const DottedEntry ours = read_entry(mine, field);
    const DottedEntry other = read_entry(theirs, field);
    DottedEntry entry{merge_dots(ours.dots, a, other.dots, b), ours.deferred};
    entry.deferred.join(other.deferred);
    entry.dots.erase_if([&](const VersionVector::Entry& dot) {
      return dot.second <=
             std::max(entry.deferred.get(dot.first), head.deferred_clear.get(dot.first));
    });
    write_entry(mine, field, entry);
    if (!entry.deferred.empty()) head.deferring.push_back(element);
  }
  if (head.clock.empty() && elements.empty()) return {};
  write_head(mine, head);
  VersionVector watermark = my_watermark;
  watermark.join(their_watermark);
  return prune_dotted(mine, watermark);
}

FieldSelection deferred_fields(const State& state) {
  FieldSelection selection{false, {std::string(kHeadField)}};
  for (const std::string& element : read_head(state).deferring) {
    selection.names.push_back(field_of(element));
  }
  return selection;
}

VersionVector awaited_seqs(const State& state) {
  const DottedHead head = read_head(state);
  VersionVector all = head.deferred_clear;
  for (const std::string& element : head.deferring) {
    all.join(read_entry(state, field_of(element)).deferred);
  }
  return all;
}

JoinResult prune_dotted(State& state, const VersionVector& watermark) {
  DottedHead head = read_head(state);
  const auto caught_up = [&](const VersionVector::Entry& entry) {
    return watermark.get(entry.first) >= entry.second;
  };
  head.deferred_clear.erase_if(caught_up);
  std::erase_if(head.deferring, [&](const std::string& element) {
    const std::string field = field_of(element);
    DottedEntry entry = read_entry(state, field);
    entry.deferred.erase_if(caught_up);
    write_entry(state, field, entry);
    return entry.deferred.empty();
  });
  if (state.find(kHeadField) != nullptr) write_head(state, head);
  return head.result();
}

}  // namespace tributary::crdt::kernel

/// The bytes of a dotted store: elements by name, each visible while it has dots, in which adds win
/// over concurrent removes. What a delta says of it, and how it stands in the fields of a state.
/// See dotted_join.h for what joins and merges do.
///
/// State fields: "m" is the head, "e" + element an entry.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/crdt/state.h>
#include <tributary/crdt/type.h>

#include "crdt/kernel/removal.h"

namespace tributary::crdt::kernel {

inline constexpr std::string_view kHeadField = "m";

// ---- deltas --------------------------------------------------------------------------------

struct ElementDelta {
  std::string_view element;
  Seq added;  ///< the actor's newest add; 0: none
  Removal removal;
};

struct DottedDelta {
  Removal clear;
  std::vector<ElementDelta> elements;  ///< in element order, each once
};

[[nodiscard]] std::string encode(const DottedDelta& delta);
/// nullopt for bytes that are no such delta. Views point into `bytes`.
[[nodiscard]] std::optional<DottedDelta> decode_dotted(std::string_view bytes,
                                                       std::size_t context_count);
/// Whether adds have their dots within the batch, and removes saw no more than came before them.
[[nodiscard]] bool within(const DottedDelta& delta, const DeltaBounds& bounds);
/// The fields that joining it reads or writes.
[[nodiscard]] FieldSelection touched(const DottedDelta& delta);

/// A delta while its changes are being joined, in seq order.
class DottedDraft {
 public:
  void clear(const SealedChange& change) { clear_.add(change); }
  void add(std::string_view element, Seq seq) { elements_[element].added = seq; }
  void remove(std::string_view element, const SealedChange& change) {
    elements_[element].removal.add(change);
  }
  [[nodiscard]] std::string encoded(ContextTable& contexts) const;

 private:
  struct Pending {
    Seq added;
    RemovalDraft removal;
  };
  RemovalDraft clear_;
  std::map<std::string_view, Pending> elements_;
};

// ---- states --------------------------------------------------------------------------------

struct DottedHead {
  VersionVector clock;  ///< actor -> last seq joined into this key
  VersionVector deferred_clear;
  std::vector<std::string> deferring;  ///< elements with deferred removes, sorted

  [[nodiscard]] JoinResult result() const {
    return {!deferring.empty() || !deferred_clear.empty()};
  }
};

[[nodiscard]] DottedHead read_head(const State& state);
void write_head(State& state, const DottedHead& head);

/// Gone when both are empty.
struct DottedEntry {
  VersionVector dots;      ///< actor -> its newest live add
  VersionVector deferred;  ///< actor -> adds up to here are already removed

  [[nodiscard]] bool visible() const { return !dots.empty(); }
};

[[nodiscard]] std::string field_of(std::string_view element);
/// nullopt: the field, or its name, is of no element.
[[nodiscard]] std::optional<std::string_view> element_of(const State::Field& field);
[[nodiscard]] std::optional<std::string_view> element_of(std::string_view name);
[[nodiscard]] DottedEntry read_entry(const State& state, std::string_view field);
void write_entry(State& state, std::string_view field, const DottedEntry& entry);

/// Whether every field is one that write_head() or write_entry() wrote; the readers rely on it.
[[nodiscard]] bool intact_dotted(const State& state);

}  // namespace tributary::crdt::kernel

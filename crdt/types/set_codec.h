/// The bytes of a set: its delta, its head field and its element fields. Private to set.cc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/crdt/state.h>
#include <tributary/crdt/version_vector.h>

namespace tributary::crdt::set_codec {

inline constexpr std::string_view kHeadField = "m";
inline constexpr char kElementPrefix = 'e';

[[nodiscard]] std::string element_field(std::string_view element);

/// What an actor's removes of one element (or clears of all) in a batch have observed.
struct Removal {
  Seq own;                    ///< the actor's own dots up to here; 0: there was no remove
  std::uint32_t context = 0;  ///< index into the batch's table; others' dots it covers

  [[nodiscard]] bool any() const { return observed; }
  bool observed = false;
};

struct ElementDelta {
  std::string_view element;
  Seq added;  ///< the actor's newest add; 0: none
  Removal removal;
};

struct SetDelta {
  Removal clear;
  std::vector<ElementDelta> elements;  ///< in element order, each once
};

[[nodiscard]] std::string encode(const SetDelta& delta);
/// nullopt for bytes that are no set delta. Views point into `bytes`.
[[nodiscard]] std::optional<SetDelta> decode_delta(std::string_view bytes,
                                                   std::size_t context_count);

/// State field "m".
struct Head {
  VersionVector clock;  ///< actor -> last seq joined into this key
  VersionVector deferred_clear;
  std::vector<std::string> deferring;  ///< elements with deferred removes, sorted
};

[[nodiscard]] Head read_head(const State& state);
void write_head(State& state, const Head& head);

/// State field "e" + element. Gone when both are empty.
struct Entry {
  VersionVector dots;      ///< actor -> its newest live add
  VersionVector deferred;  ///< actor -> adds up to here are already removed
};

/// Whether every field is one that write_head() or write_entry() wrote; the readers rely on it.
[[nodiscard]] bool intact(const State& state);

[[nodiscard]] Entry read_entry(const State& state, std::string_view field);
void write_entry(State& state, std::string_view field, const Entry& entry);

}  // namespace tributary::crdt::set_codec

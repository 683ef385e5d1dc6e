/// A replica as the laws see it: states, views, and the watermark beside them.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <tributary/crdt/type.h>

#include "tests/laws/history.h"
#include "tests/laws/view.h"

namespace tributary::laws {

/// The bytes of a state: the fields that exist, in name order.
using Fields = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Fields fields_of(const crdt::State& state);

/// Copies the selected fields, as a store would load them; unchanged.
[[nodiscard]] crdt::State load(const crdt::State& from, const crdt::FieldSelection& selection);

struct KeyCopy {
  KeyCopy() { state.set_complete(); }
  crdt::State state;  ///< complete
  View view;
};

struct Replica {
  std::array<KeyCopy, kKeys> keys;
  VersionVector watermark;
  /// What some key may hold beyond the watermark, after a crash between the two.
  VersionVector ahead;

  /// No key holds anything beyond the watermark.
  [[nodiscard]] bool exact() const;
};

/// Joins one delta of `batch` into its key and carries out the edits, which it returns. Throws
/// Broken when touched() refuses the delta.
crdt::ViewEdits join(const crdt::Type& type, Replica& replica, const SealedDeltas& batch,
                     const KeyDelta& delta);
/// Joins a whole batch, then raises the watermark.
void apply(const crdt::Type& type, Replica& replica, const SealedDeltas& batch);
/// State merge of one key; the watermark stays.
void merge_key(const crdt::Type& type, Replica& mine, const Replica& theirs, std::size_t key);
/// State merge of everything, then of the watermark.
void merge(const crdt::Type& type, Replica& mine, const Replica& theirs);

/// A key's state after pruning by `watermark`. Throws Broken when pruning changed what it shows.
[[nodiscard]] Fields pruned(const crdt::Type& type, const KeyCopy& copy,
                            const VersionVector& watermark);
/// The view that render() shows of a state.
[[nodiscard]] View shown(const crdt::Type& type, const crdt::State& state);
/// Both replicas, pruned by `watermark`, have equal bytes and views; else throws Broken.
void require_equal(const crdt::Type& type, const Replica& a, const Replica& b,
                   const VersionVector& watermark, std::string_view otherwise);

}  // namespace tributary::laws

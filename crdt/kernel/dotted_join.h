/// What joins and merges do to a dotted store, and the deferral of removes.
///
/// A remove drops those dots of an element that its context covers. For actors whose context entry
/// is ahead of the replica's watermark the remainder is kept as a deferred remove, so that a late
/// add the remover had already seen does not come back; it goes once the watermark has caught up.
/// A clear is the same for all elements at once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "crdt/kernel/dotted_store.h"

namespace tributary::crdt::kernel {

/// Told what of a store becomes visible, and what no longer is. The type makes edits of it.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void shown(std::string_view element) = 0;
  virtual void gone(std::string_view element) = 0;
  /// Nothing is visible any more; gone() was told of each element before.
  virtual void all_gone() = 0;
};

/// Joins a delta that is within() its bounds. One whose last seq the state has seen changes
/// nothing.
JoinResult join(const DottedDelta& delta, const DeltaSource& source, State& state,
                Watcher& watcher);

/// See Type. The dots that both have live, and those that the other side cannot have removed.
JoinResult merge_dotted(State& mine, const VersionVector& my_watermark, const State& theirs,
                        const VersionVector& their_watermark);

// See Type.
[[nodiscard]] FieldSelection deferred_fields(const State& state);
[[nodiscard]] VersionVector awaited_seqs(const State& state);
JoinResult prune_dotted(State& state, const VersionVector& watermark);

}  // namespace tributary::crdt::kernel

/// Observed removal: a remove takes away the dots that its writer had seen, and no others.
///
/// Following Bieniusa et al., "An optimized conflict-free replicated set", 2012: what was seen is a
/// context, a version vector, so nothing is kept of what is removed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <tributary/base/bytes.h>
#include <tributary/crdt/type.h>

namespace tributary::crdt::kernel {

/// What an actor's removes of one thing have observed, in one batch.
struct Removal {
  bool observed = false;      ///< false: there was none
  Seq own;                    ///< the actor's own dots up to here
  std::uint32_t context = 0;  ///< index into the batch's table: the dots of others that it covers
};

void encode(ByteWriter& out, const Removal& removal);
/// Leaves `in` not ok() on what encode() did not write, or an index beyond the table.
[[nodiscard]] Removal decode_removal(ByteReader& in, std::size_t context_count);

/// Whether it saw no more of its own actor than what came before it.
[[nodiscard]] bool within(const Removal& removal, const DeltaBounds& bounds);

/// Drops the dots that it observed.
void drop_observed(VersionVector& dots, const Removal& removal, const DeltaSource& source);

/// The change that removes the same.
[[nodiscard]] UnsealedChange unsealed(std::string_view operation, std::string_view value,
                                      const Removal& removal,
                                      std::span<const VersionVector> contexts);

/// The removes of one thing while a batch is being sealed: contexts join pointwise.
class RemovalDraft {
 public:
  void add(const SealedChange& change);
  [[nodiscard]] Removal interned(ContextTable& contexts) const;

 private:
  bool observed_ = false;
  Seq own_;
  VersionVector context_;
};

}  // namespace tributary::crdt::kernel

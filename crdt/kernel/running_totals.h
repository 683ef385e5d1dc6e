/// What each actor has added and taken away in all: only ever grows, so that joins are maxima, and
/// the value is their exact sum.
///
/// Following Shapiro et al., "A comprehensive study of Convergent and Commutative Replicated Data
/// Types", 2011, PN-Counter.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/bytes.h>
#include <tributary/crdt/type.h>

namespace tributary::crdt::kernel {

/// Increments, then decrements.
void encode(ByteWriter& out, const Totals& totals);
/// Leaves `in` not ok() on totals above INT64_MAX.
[[nodiscard]] Totals decode_totals(ByteReader& in);

/// Of every actor that has changed the key.
class RunningTotals {
 public:
  /// Whether encoded() wrote the bytes; empty totals are never written.
  [[nodiscard]] static bool wrote(std::string_view bytes);
  /// Of bytes that encoded() wrote.
  [[nodiscard]] static RunningTotals decode(std::string_view bytes);
  [[nodiscard]] std::string encoded() const;

  /// Joins: each total becomes the larger one.
  void raise(ActorId actor, const Totals& totals);
  void raise(const RunningTotals& others);

  [[nodiscard]] bool empty() const { return actors_.empty(); }
  /// Decimal digits of the sum over all actors, which may need more than 64 bits.
  [[nodiscard]] std::string sum() const;

 private:
  struct ActorTotals {
    ActorId actor;
    Totals totals;
  };
  std::vector<ActorTotals> actors_;  ///< in actor order
};

}  // namespace tributary::crdt::kernel

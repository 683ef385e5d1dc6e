/// A last-writer-wins cell: of all writes the one with the largest (hlc, actor, seq) counts.
#pragma once

#include <string>
#include <string_view>

#include <tributary/base/bytes.h>
#include <tributary/crdt/type.h>

namespace tributary::crdt::kernel {

/// A write, or with present == false a clear. Views point into what it was decoded from.
struct LastWrite {
  Hlc hlc;
  ActorId actor;
  Seq seq;
  bool present = false;
  std::string_view value;

  [[nodiscard]] bool beats(const LastWrite& other) const;
  /// Whether its seq and time lie within the batch.
  [[nodiscard]] bool within(const DeltaBounds& bounds) const;
};

/// In a delta the actor is the batch's.
void encode_delta(ByteWriter& out, const LastWrite& write);
/// Leaves `in` not ok() on what encode_delta() did not write.
[[nodiscard]] LastWrite decode_delta(ByteReader& in, ActorId actor);

/// In a state the actor comes first.
[[nodiscard]] std::string encode_cell(const LastWrite& write);
[[nodiscard]] LastWrite decode_cell(ByteReader& in);
[[nodiscard]] LastWrite decode_cell(std::string_view bytes);

}  // namespace tributary::crdt::kernel

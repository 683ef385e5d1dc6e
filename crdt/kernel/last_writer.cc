#include "crdt/kernel/last_writer.h"

#include <tuple>

namespace tributary::crdt::kernel {

bool LastWrite::beats(const LastWrite& other) const {
  return std::tie(hlc, actor, seq) > std::tie(other.hlc, other.actor, other.seq);
}

bool LastWrite::within(const DeltaBounds& bounds) const {
  return seq >= bounds.first_seq && seq <= bounds.last_seq && hlc <= bounds.hlc;
}

void encode_delta(ByteWriter& out, const LastWrite& write) {
  out.fixed64(write.hlc.value);
  out.varint(write.seq.value);
  out.varint(write.present ? 1 : 0);
  if (write.present) out.text(write.value);
}

LastWrite decode_delta(ByteReader& in, ActorId actor) {
  LastWrite write;
  write.hlc = Hlc{in.fixed64()};
  write.actor = actor;
  write.seq = Seq{in.varint()};
  const std::uint64_t present = in.varint();
  if (present > 1) in.fail();
  write.present = present == 1;
  if (write.present) write.value = in.text();
  return write;
}

std::string encode_cell(const LastWrite& write) {
  ByteWriter out;
  out.fixed64(write.actor.value);
  encode_delta(out, write);
  return out.take();
}

LastWrite decode_cell(ByteReader& in) {
  const ActorId actor{in.fixed64()};
  return decode_delta(in, actor);
}

LastWrite decode_cell(std::string_view bytes) {
  ByteReader in(bytes);
  return decode_cell(in);
}

}  // namespace tributary::crdt::kernel

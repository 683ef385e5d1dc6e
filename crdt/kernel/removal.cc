#include "crdt/kernel/removal.h"

#include <algorithm>

namespace tributary::crdt::kernel {

void encode(ByteWriter& out, const Removal& removal) {
  if (!removal.observed) {
    out.varint(0);
    return;
  }
  out.varint(std::uint64_t{removal.context} + 1);
  out.varint(removal.own.value);
}

Removal decode_removal(ByteReader& in, std::size_t context_count) {
  const std::uint64_t context = in.varint();
  if (context == 0) return {};
  if (context > context_count) in.fail();
  return {true, Seq{in.varint()}, static_cast<std::uint32_t>(context - 1)};
}

bool within(const Removal& removal, const DeltaBounds& bounds) {
  return !removal.observed || removal.own < bounds.last_seq;
}

void drop_observed(VersionVector& dots, const Removal& removal, const DeltaSource& source) {
  const VersionVector& context = source.contexts[removal.context];
  dots.erase_if([&](const VersionVector::Entry& dot) {
    return dot.second <= (dot.first == source.actor ? removal.own : context.get(dot.first));
  });
}

UnsealedChange unsealed(std::string_view operation, std::string_view value, const Removal& removal,
                        std::span<const VersionVector> contexts) {
  return {.operation = operation,
          .value = std::string(value),
          .context = &contexts[removal.context],
          .own = removal.own};
}

void RemovalDraft::add(const SealedChange& change) {
  observed_ = true;
  own_ = std::max(own_, change.own);
  if (change.context != nullptr) context_.join(*change.context);
}

Removal RemovalDraft::interned(ContextTable& contexts) const {
  if (!observed_) return {};
  return {true, own_, contexts.intern(context_)};
}

}  // namespace tributary::crdt::kernel

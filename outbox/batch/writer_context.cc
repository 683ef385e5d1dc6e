#include "outbox/batch/writer_context.h"

#include <utility>

#include <tributary/base/bytes.h>

namespace tributary {
namespace {

void encode(ByteWriter& out, const WriterContext::Lowered& lowered) {
  out.varint(lowered.size());
  for (const auto& [key, seqs] : lowered) {
    out.text(key);
    out.varint(seqs.size());
    for (const auto& [actor, seq] : seqs) {
      out.fixed64(actor.value);
      out.varint(seq.value);
    }
  }
}

/// Not ok() when there is none, or anything is there twice.
WriterContext::Lowered decode_lowered(ByteReader& in) {
  WriterContext::Lowered lowered;
  std::uint64_t keys = in.varint();
  if (keys == 0) in.fail();
  for (; keys > 0 && in.ok(); --keys) {
    const auto [key, fresh] = lowered.try_emplace(std::string(in.text()));
    if (!fresh) in.fail();
    for (std::uint64_t seqs = in.varint(); seqs > 0 && in.ok(); --seqs) {
      const ActorId actor{in.fixed64()};
      if (!key->second.emplace(actor, Seq{in.varint()}).second) in.fail();
    }
  }
  return lowered;
}

}  // namespace

WriterContext::WriterContext(VersionVector watermark, Lowered lowered)
    : watermark_(std::move(watermark)), lowered_(std::move(lowered)) {
  ByteWriter size;
  encode(size, lowered_);
  if (size.bytes().size() <= kMostLoweredBytes) return;
  watermark_ = least();
  lowered_.clear();
}

const LoweredSeqs* WriterContext::lowered_for(std::string_view key) const {
  const auto found = lowered_.find(key);
  return found == lowered_.end() ? nullptr : &found->second;
}

VersionVector WriterContext::of(std::string_view key) const {
  const LoweredSeqs* const seqs = lowered_for(key);
  return seqs == nullptr ? watermark_ : lower(watermark_, *seqs);
}

VersionVector WriterContext::least() const {
  VersionVector least = watermark_;
  for (const auto& [key, seqs] : lowered_) least = lower(std::move(least), seqs);
  return least;
}

std::string WriterContext::bytes() const {
  ByteWriter out;
  watermark_.encode(out);
  if (!lowered_.empty()) encode(out, lowered_);
  return out.take();
}

std::optional<WriterContext> WriterContext::from_bytes(std::string_view bytes) {
  ByteReader in(bytes);
  VersionVector watermark = VersionVector::decode(in);
  Lowered lowered = in.ok() && !in.at_end() ? decode_lowered(in) : Lowered{};
  if (!in.finished()) return std::nullopt;
  return WriterContext(std::move(watermark), std::move(lowered));
}

}  // namespace tributary

#include <algorithm>

#include <tributary/crdt/version_vector.h>

namespace tributary {
namespace {

constexpr std::size_t kEntryBytes = 9;  // the least one encoded entry takes

auto position(auto& entries, ActorId actor) {
  return std::lower_bound(entries.begin(), entries.end(), actor,
                          [](const auto& entry, ActorId wanted) { return entry.first < wanted; });
}

std::optional<unsigned> nibble(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return std::nullopt;
}

}  // namespace

Seq VersionVector::get(ActorId actor) const {
  const auto at = position(entries_, actor);
  return at != entries_.end() && at->first == actor ? at->second : Seq{};
}

bool VersionVector::covers(const VersionVector& other) const {
  return std::ranges::all_of(other.entries_,
                             [&](const Entry& entry) { return entry.second <= get(entry.first); });
}

void VersionVector::raise(ActorId actor, Seq seq) {
  if (seq == Seq{}) return;
  const auto at = position(entries_, actor);
  if (at == entries_.end() || at->first != actor) entries_.insert(at, {actor, seq});
  else if (at->second < seq) at->second = seq;
}

void VersionVector::erase(ActorId actor) {
  const auto at = position(entries_, actor);
  if (at != entries_.end() && at->first == actor) entries_.erase(at);
}

void VersionVector::join(const VersionVector& other) {
  for (const auto& [actor, seq] : other.entries_) raise(actor, seq);
}

void VersionVector::encode(ByteWriter& out) const {
  out.varint(entries_.size());
  for (const auto& [actor, seq] : entries_) {
    out.fixed64(actor.value);
    out.varint(seq.value);
  }
}

VersionVector VersionVector::decode(ByteReader& in) {
  VersionVector vector;
  const std::uint64_t count = in.varint();
  if (count > in.remaining() / kEntryBytes) {
    in.fail();
    return {};
  }
  vector.entries_.reserve(count);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const ActorId actor{in.fixed64()};
    vector.raise(actor, Seq{in.varint()});
  }
  return vector;
}

std::string VersionVector::bytes() const {
  ByteWriter out;
  encode(out);
  return out.take();
}

std::optional<VersionVector> VersionVector::from_bytes(std::string_view bytes) {
  ByteReader in(bytes);
  VersionVector vector = decode(in);
  if (!in.finished()) return std::nullopt;
  return vector;
}

std::string VersionVector::token() const { return hex_of(bytes()); }

std::optional<VersionVector> VersionVector::from_token(std::string_view token) {
  if (token.size() % 2 != 0) return std::nullopt;
  std::string raw;
  for (std::size_t i = 0; i < token.size(); i += 2) {
    const auto high = nibble(token[i]);
    const auto low = nibble(token[i + 1]);
    if (!high || !low) return std::nullopt;
    raw.push_back(static_cast<char>(*high << 4 | *low));
  }
  return from_bytes(raw);
}

VersionVector lower(VersionVector watermark, const LoweredSeqs& lowered) {
  for (const auto& [actor, seq] : lowered) {
    const Seq seen = std::min(watermark.get(actor), seq);
    watermark.erase(actor);
    watermark.raise(actor, seen);
  }
  return watermark;
}

}  // namespace tributary

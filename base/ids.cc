#include <tributary/base/bytes.h>
#include <tributary/base/ids.h>

namespace tributary {

namespace {

constexpr int kMarkBits = 24;

/// FNV-1a over the name and the random bits, well mixed.
std::uint64_t mark(const OriginName& origin, std::uint64_t random) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto take = [&](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001b3U; };
  for (const char each : origin.value) take(static_cast<unsigned char>(each));
  for (int i = 0; i < 8; ++i) take((random >> (8 * i)) & 0xff);
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdU;
  return hash >> (64 - kMarkBits);
}

}  // namespace

ActorId ActorId::make(const OriginName& origin, std::uint64_t bits) {
  const std::uint64_t random = (bits << kMarkBits) >> kMarkBits;
  return {random << kMarkBits | mark(origin, random)};
}

bool ActorId::made_for(const OriginName& origin) const {
  return make(origin, value >> kMarkBits) == *this;
}

std::string ActorId::hex() const {
  std::string bytes;
  for (int i = 7; i >= 0; --i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return hex_of(bytes);
}

std::optional<ActorId> ActorId::from_hex(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return ActorId{value};
}

}  // namespace tributary

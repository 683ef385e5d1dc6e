/// How what is set aside is laid out.
#include <charconv>
#include <cstdio>

#include <tributary/base/bytes.h>

#include "connectors/replica/redis/layout.h"

namespace tributary::redis {
namespace {

constexpr std::size_t kMarkDigits = 16;

std::optional<ParkedEntry> decode_rest(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.varint() != kParkedFormat) return std::nullopt;
  ParkedEntry parked;
  parked.origin = OriginName{std::string(in.text())};
  parked.actor = ActorId{in.fixed64()};
  parked.first_seq = Seq{in.varint()};
  parked.last_seq = Seq{in.varint()};
  parked.reason = in.text();
  parked.bytes = in.text();
  parked.parked_at = Micros{in.zigzag()};
  return in.finished() ? std::optional(std::move(parked)) : std::nullopt;
}

std::optional<KeyBlock> decode_rest_of_block(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.varint() != kBlockFormat) return std::nullopt;
  KeyBlock block;
  block.bodies = in.varint();
  block.incomplete = in.varint() == 1;
  block.reason = in.text();
  block.retries = in.varint();
  while (in.ok() && !in.at_end()) {
    const ActorId actor{in.fixed64()};
    block.before.emplace(actor, Seq{in.varint()});
  }
  return in.ok() ? std::optional(std::move(block)) : std::nullopt;
}

}  // namespace

std::string index_of_key(std::string_view key) {
  char digits[9];
  std::snprintf(digits, sizeof(digits), "%08zx", key.size());
  return std::string(digits).append(key);
}

std::string encode(const ParkedEntry& parked) {
  ByteWriter out;
  out.varint(kParkedFormat);
  out.text(parked.origin.value);
  out.fixed64(parked.actor.value);
  out.varint(parked.first_seq.value);
  out.varint(parked.last_seq.value);
  out.text(parked.reason);
  out.text(parked.bytes);
  out.zigzag(parked.parked_at.count());
  return index_of_key(parked.key) + out.bytes();
}

ParkedEntry decode_parked(std::string_view id, std::string_view bytes) {
  std::size_t size = 0;
  const std::string_view digits = bytes.substr(0, 8);
  const char* const end = digits.data() + digits.size();
  const bool sized = digits.size() == 8 && std::from_chars(digits.data(), end, size, 16).ptr == end;
  if (sized && size <= bytes.size() - 8) {
    if (auto parked = decode_rest(bytes.substr(8 + size))) {
      parked->id = id;
      parked->key = bytes.substr(8, size);
      return std::move(*parked);
    }
  }
  ParkedEntry unreadable;
  unreadable.id = id;
  unreadable.reason = "what tributary:parked holds for it is not what Tributary wrote there";
  return unreadable;
}

std::string encode(const KeyBlock& block, std::string_view mark) {
  ByteWriter out;
  out.varint(kBlockFormat);
  out.varint(block.bodies);
  out.varint(block.incomplete ? 1 : 0);
  out.text(block.reason);
  out.varint(block.retries);
  for (const auto& [actor, seq] : block.before) {
    out.fixed64(actor.value);
    out.varint(seq.value);
  }
  return std::string(mark) + out.bytes();
}

KeyBlock decode_block(std::string_view bytes) {
  const std::string_view mark = bytes.substr(0, kMarkDigits);
  KeyBlock block;
  if (auto rest = decode_rest_of_block(bytes.substr(mark.size()))) {
    block = std::move(*rest);
  } else {
    block.incomplete = true;
    block.reason = "what tributary:blocked holds for it is not what Tributary wrote there";
  }
  block.mark = mark;
  return block;
}

}  // namespace tributary::redis

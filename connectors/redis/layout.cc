#include <array>
#include <charconv>

#include <tributary/base/bytes.h>
#include <tributary/connectors/redis/layout.h>

namespace tributary::redis {
namespace {

constexpr std::string_view kDeferringMark = " deferring";
constexpr std::uint64_t kParkedFormat = 1;

/// Redis Cluster's rule: the first '{', the first '}' behind it, and something between them.
bool has_hash_tag(std::string_view key) {
  const auto open = key.find('{');
  if (open == std::string_view::npos) return false;
  const auto close = key.find('}', open + 1);
  return close != std::string_view::npos && close > open + 1;
}

}  // namespace

StateKey state_key(std::string_view key) {
  if (has_hash_tag(key)) return {"tributary:", key, ""};
  return {"tributary:{", key, "}"};
}

std::string make_version(std::string_view type, std::uint64_t nonce, bool deferring) {
  std::string version(type);
  version.append(" ").append(ActorId{nonce}.hex());
  if (deferring) version.append(kDeferringMark);
  return version;
}

std::string_view type_of_version(std::string_view version) {
  return version.substr(0, version.find(' '));
}

bool deferring_by_version(std::string_view version) { return version.ends_with(kDeferringMark); }

std::optional<std::uint64_t> parse_u64(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string encode(const OriginProgress& progress) {
  return progress.actor.hex() + " " + std::to_string(progress.offset.value) + " " +
         std::to_string(progress.head_seq.value) + " " + std::to_string(progress.hlc.value);
}

std::optional<OriginProgress> decode_progress(std::string_view text) {
  std::array<std::string_view, 4> words;
  for (std::string_view& word : words) {
    const auto space = text.find(' ');
    word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  const auto actor = ActorId::from_hex(words[0]);
  const auto offset = parse_u64(words[1]);
  const auto head = parse_u64(words[2]);
  const auto hlc = parse_u64(words[3]);
  if (!actor || !offset || !head || !hlc || !text.empty()) return std::nullopt;
  return OriginProgress{*actor, Offset{*offset}, Seq{*head}, Hlc{*hlc}};
}

std::string encode(Hlc hlc) {
  const std::string digits = std::to_string(hlc.value);
  return std::string(20 - digits.size(), '0') + digits;
}

std::string encode(const Parked& parked) {
  ByteWriter out;
  out.varint(kParkedFormat);
  out.text(parked.origin.value);
  out.fixed64(parked.actor.value);
  out.varint(parked.first_seq.value);
  out.varint(parked.last_seq.value);
  out.text(parked.key);
  out.text(parked.reason);
  out.text(parked.bytes);
  out.zigzag(parked.parked_at.count());
  return out.take();
}

std::optional<Parked> decode_parked(std::string_view id, std::string_view bytes) {
  ByteReader in(bytes);
  if (in.varint() != kParkedFormat) return std::nullopt;
  Parked parked;
  parked.id = id;
  parked.origin = OriginName{std::string(in.text())};
  parked.actor = ActorId{in.fixed64()};
  parked.first_seq = Seq{in.varint()};
  parked.last_seq = Seq{in.varint()};
  parked.key = in.text();
  parked.reason = in.text();
  parked.bytes = in.text();
  parked.parked_at = Micros{in.zigzag()};
  if (!in.finished()) return std::nullopt;
  return parked;
}

}  // namespace tributary::redis

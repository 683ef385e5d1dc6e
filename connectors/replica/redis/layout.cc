#include "connectors/replica/redis/layout.h"

#include <charconv>

namespace tributary::redis {
namespace {

constexpr std::string_view kOurs = "tributary:";
constexpr std::string_view kDeferringMark = " deferring";

/// Redis' rule: the first '{', the first '}' behind it, and something between them.
bool has_hash_tag(std::string_view key) {
  const auto open = key.find('{');
  if (open == std::string_view::npos) return false;
  const auto close = key.find('}', open + 1);
  return close != std::string_view::npos && close > open + 1;
}

/// The next word, without the blank behind it.
std::string_view take_word(std::string_view& text) {
  const auto space = text.find(' ');
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  return word;
}

}  // namespace

std::string StateKey::whole() const { return std::string(before).append(key).append(after); }

StateKey state_key(std::string_view key) {
  // All of the key is the tag. Empty, it would be none, but no other key gets this name.
  if (key.find('}') == std::string_view::npos) return {"tributary:{", key, "}"};
  if (has_hash_tag(key)) return {"tributary::", key, ""};
  return {"tributary:=", key, ""};  // hashed as a whole, which no name of ours can match
}

std::optional<std::string_view> key_of_state(std::string_view name) {
  if (!name.starts_with(kOurs)) return std::nullopt;
  std::string_view key = name.substr(kOurs.size());
  if (key.empty()) return std::nullopt;
  if (key.front() == '{' && !key.ends_with('}')) return std::nullopt;
  key = key.front() == '{' ? key.substr(1, key.size() - 2) : key.substr(1);
  const StateKey state = state_key(key);
  if (name.size() != state.before.size() + key.size() + state.after.size()) return std::nullopt;
  return name.starts_with(state.before) ? std::optional(key) : std::nullopt;
}

std::string make_version(std::string_view type, std::uint64_t nonce, bool deferring) {
  std::string version(type);
  version.append(" ").append(ActorId{nonce}.hex());
  if (deferring) version.append(kDeferringMark);
  return version;
}

bool listed_by_version(std::string_view text) {
  return text.find(kDeferringMark) != std::string_view::npos;
}

std::optional<Version> parse_version(std::string_view text) {
  Version version;
  version.type = take_word(text);
  if (version.type.empty() || !ActorId::from_hex(take_word(text))) return std::nullopt;
  std::string_view word = take_word(text);
  version.deferring = word == "deferring";
  if (version.deferring) word = take_word(text);
  if (!word.empty()) {
    version.members = parse_u64(word);
    if (!version.members) return std::nullopt;
  }
  return text.empty() ? std::optional(version) : std::nullopt;
}

std::optional<std::uint64_t> parse_u64(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string encode(const OriginProgress& progress) {
  return progress.actor.hex() + " " + std::to_string(progress.offset.value) + " " +
         std::to_string(progress.head_seq.value) + " " + std::to_string(progress.hlc.value) + " " +
         std::to_string(progress.history.value);
}

std::optional<OriginProgress> decode_progress(std::string_view text) {
  const auto actor = ActorId::from_hex(take_word(text));
  const auto offset = parse_u64(take_word(text));
  const auto head = parse_u64(take_word(text));
  const auto hlc = parse_u64(take_word(text));
  const auto history = parse_u64(take_word(text));
  if (!actor || !offset || !head || !hlc || !history || !text.empty()) return std::nullopt;
  return OriginProgress{*actor, Offset{*offset}, Seq{*head}, Hlc{*hlc}, {*history}};
}

std::string encode(const ActorRecord& record) {
  const std::string seq = record.final_seq ? std::to_string(record.final_seq->value) : "-";
  return seq + " " + record.origin.value;
}

std::optional<ActorRecord> decode_actor(std::string_view text) {
  const std::string_view seq = take_word(text);
  ActorRecord record{OriginName{std::string(text)}, std::nullopt};
  if (seq == "-") return record;
  const auto number = parse_u64(seq);
  if (!number) return std::nullopt;
  record.final_seq = Seq{*number};
  return record;
}

std::string encode(Hlc hlc) {
  const std::string digits = std::to_string(hlc.value);
  return std::string(20 - digits.size(), '0') + digits;
}

std::pair<std::vector<std::string>, bool> decode_names(std::string_view bytes) {
  std::vector<std::string> names;
  while (!bytes.empty()) {
    std::size_t size = 0;
    const std::string_view digits = bytes.substr(0, 8);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    const bool good = error == std::errc{} && end == digits.data() + 8;
    if (!good || size > bytes.size() - 8) return {std::move(names), false};
    names.emplace_back(bytes.substr(8, size));
    bytes.remove_prefix(8 + size);
  }
  return {std::move(names), true};
}

}  // namespace tributary::redis

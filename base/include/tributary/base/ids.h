/// Strong types for the identities of the system. Not for: parsing topology names (see config).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tributary {

struct OriginName;

/// CRDT replica id, minted when an outbox is created, or found restored or forked: 40 random bits,
/// and 24 that tell for which origin it was made.
struct ActorId {
  std::uint64_t value = 0;

  auto operator<=>(const ActorId&) const = default;

  /// An actor of `origin`, of 40 of the `bits`.
  [[nodiscard]] static ActorId make(const OriginName& origin, std::uint64_t bits);
  /// Whether it was made for the origin. By chance it seems so for another, once in 16 million.
  [[nodiscard]] bool made_for(const OriginName& origin) const;

  /// Sixteen lower-case hex digits, the form used in Redis, logs and the CLI.
  [[nodiscard]] std::string hex() const;
  /// The inverse of hex(); nullopt unless `text` is exactly sixteen hex digits.
  [[nodiscard]] static std::optional<ActorId> from_hex(std::string_view text);
};

/// Per-actor number of a change: 1, 2, 3 … without gaps. 0 means "nothing yet".
struct Seq {
  std::uint64_t value = 0;

  auto operator<=>(const Seq&) const = default;
  [[nodiscard]] Seq next() const { return Seq{value + 1}; }
};

/// The identity of one change.
struct Dot {
  ActorId actor;
  Seq seq;

  auto operator<=>(const Dot&) const = default;
};

/// Of all that an actor published up to one of its seqs: the same only when every batch was, byte
/// for byte. 0: not known, or nothing was.
struct HistoryDigest {
  std::uint64_t value = 0;

  bool operator==(const HistoryDigest&) const = default;
  [[nodiscard]] bool known() const { return value != 0; }
  /// Both are known, and one was given to other batches than the other.
  [[nodiscard]] bool contradicts(HistoryDigest other) const {
    return known() && other.known() && value != other.value;
  }
};

/// Name of an outbox database in the topology.
struct OriginName {
  std::string value;

  auto operator<=>(const OriginName&) const = default;
};

/// Name of a place with a broker and a replica in the topology.
struct RegionName {
  std::string value;

  auto operator<=>(const RegionName&) const = default;
};

}  // namespace tributary

template <>
struct std::hash<tributary::ActorId> {
  std::size_t operator()(const tributary::ActorId& actor) const noexcept {
    return static_cast<std::size_t>(actor.value);  // already random bits
  }
};

template <>
struct std::hash<tributary::OriginName> {
  std::size_t operator()(const tributary::OriginName& name) const noexcept {
    return std::hash<std::string>{}(name.value);
  }
};

/// A version vector: actor -> seq. Used as a replica's watermark and as a change's context.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tributary/base/bytes.h>
#include <tributary/base/ids.h>

namespace tributary {

/// A small sorted vector; an absent actor stands for seq 0, and no entry holds 0, so equal vectors
/// have equal bytes.
class VersionVector {
 public:
  using Entry = std::pair<ActorId, Seq>;

  [[nodiscard]] Seq get(ActorId actor) const;
  [[nodiscard]] bool covers(Dot dot) const { return dot.seq <= get(dot.actor); }
  [[nodiscard]] bool covers(const VersionVector& other) const;
  /// Raises the actor's entry; a lower seq changes nothing.
  void raise(ActorId actor, Seq seq);
  void erase(ActorId actor);
  /// Pointwise maximum.
  void join(const VersionVector& other);
  /// Drops the entries for which `predicate(entry)` holds.
  template <typename Predicate>
  void erase_if(Predicate predicate) {
    std::erase_if(entries_, predicate);
  }

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }
  bool operator==(const VersionVector&) const = default;

  /// varint count, then (fixed64 actor, varint seq) in actor order.
  void encode(ByteWriter& out) const;
  /// Reads what encode() wrote; leaves `in` not ok() on bad bytes.
  [[nodiscard]] static VersionVector decode(ByteReader& in);

  /// The token a user passes around: lower-case hex of the encoding.
  [[nodiscard]] std::string token() const;
  [[nodiscard]] static std::optional<VersionVector> from_token(std::string_view token);

  [[nodiscard]] std::string bytes() const;
  [[nodiscard]] static std::optional<VersionVector> from_bytes(std::string_view bytes);

 private:
  std::vector<Entry> entries_;
};

/// Actor -> what was seen of its changes to one key, where that is less than a watermark says.
/// Unlike a version vector it tells apart "nothing" (0) and "what the watermark says" (absent).
using LoweredSeqs = std::map<ActorId, Seq>;

/// `watermark`, with the entries of `lowered` in place of larger ones.
[[nodiscard]] VersionVector lower(VersionVector watermark, const LoweredSeqs& lowered);

}  // namespace tributary

/// What the origin's database tells its writers that they have seen: the watermark of their region,
/// but less of it for keys that have changes parked there. It is stored once, and rows name it, so
/// it says what was seen when a change was written, whatever was mended or parked until the seal.
/// Not for: tokens that a writer gives, and contexts in batches, which are plain version vectors.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <tributary/crdt/version_vector.h>

namespace tributary {

/// A value. It is stored anew whenever the watermark moves, hundreds of them are kept at a time, so
/// the keys have a bound; beyond it the watermark is lowered for all keys: too little seen is safe.
class WriterContext {
 public:
  /// Blocked key -> what was seen of the actors named.
  using Lowered = std::map<std::string, LoweredSeqs, std::less<>>;
  static constexpr std::size_t kMostLoweredBytes = std::size_t{16} << 10;

  /// A watermark alone is one, too.
  WriterContext(VersionVector watermark = {}, Lowered lowered = {});  // NOLINT: see above

  [[nodiscard]] const VersionVector& watermark() const { return watermark_; }
  [[nodiscard]] const Lowered& lowered() const { return lowered_; }
  /// nullptr: all that the watermark says was seen of the key.
  [[nodiscard]] const LoweredSeqs* lowered_for(std::string_view key) const;
  /// What was seen of a key.
  [[nodiscard]] VersionVector of(std::string_view key) const;
  /// What was seen whatever the key: true of a writer of whom only a version vector is kept.
  [[nodiscard]] VersionVector least() const;
  bool operator==(const WriterContext&) const = default;

  /// The watermark as it encodes itself; then, if any key is lowered: varint count and, in order,
  /// (text key, varint count, (fixed64 actor, varint seq) in order). Equal ones have equal bytes.
  [[nodiscard]] std::string bytes() const;
  [[nodiscard]] static std::optional<WriterContext> from_bytes(std::string_view bytes);

 private:
  VersionVector watermark_;
  Lowered lowered_;
};

}  // namespace tributary

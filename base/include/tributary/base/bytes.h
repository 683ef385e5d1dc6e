/// A compact byte codec: LEB128 varints, zigzag for signed values, fixed 64-bit little endian and
/// length-prefixed strings. Used for CRDT state, deltas and contexts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tributary {

/// Two lower-case digits a byte.
[[nodiscard]] std::string hex_of(std::string_view bytes);

/// Appends to a string it owns.
class ByteWriter {
 public:
  void varint(std::uint64_t value);
  void zigzag(std::int64_t value);
  void fixed64(std::uint64_t value);
  void text(std::string_view bytes);

  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what ByteWriter wrote. A read past the end or an over-long varint makes ok() false for
/// good and yields zeros, so a decoder checks once at its end. Views point into the input.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] std::uint64_t varint();
  [[nodiscard]] std::int64_t zigzag();
  [[nodiscard]] std::uint64_t fixed64();
  [[nodiscard]] std::string_view text();

  /// Makes ok() false, for a decoder that met a value that makes no sense.
  void fail();

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  /// Everything was read and nothing was missing.
  [[nodiscard]] bool finished() const { return ok_ && rest_.empty(); }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace tributary

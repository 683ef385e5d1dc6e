/// The arguments of Redis commands as they go over the wire (RESP), in one reusable buffer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tributary::redis {

/// A buffer above this size is given back after use.
inline constexpr std::size_t kKeptBuffer = 16 * 1024 * 1024;

/// Counts what it appends, so that the length of a command can be written after its arguments.
/// Keeps its memory from command to command. Not thread-safe.
class Arguments {
 public:
  void add(std::string_view bytes);
  void add_number(std::uint64_t value);
  /// One argument of three parts.
  void add_joined(std::string_view before, std::string_view bytes, std::string_view after);

  /// A count that is not known yet; answers where set_count() finds it.
  [[nodiscard]] std::size_t add_count();
  void set_count(std::size_t at, std::size_t count);

  void clear();
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::size_t size_ = 0;
};

/// What follows is counted, and the count stands before it.
class CountedSection {
 public:
  explicit CountedSection(Arguments& out) : out_(out), at_(out.add_count()), before_(out.size()) {}
  /// Ends the section.
  void end() { out_.set_count(at_, out_.size() - before_); }

 private:
  Arguments& out_;
  std::size_t at_;
  std::size_t before_;
};

/// Appends "<mark><value>\r\n": the head of a command ('*') or of an argument ('$').
void append_head(std::string& out, char mark, std::size_t value);

}  // namespace tributary::redis

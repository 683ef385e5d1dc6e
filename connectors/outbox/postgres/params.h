/// Binary parameters of a statement, so that no value passes through text and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace tributary::postgres {

/// The types the statements use, by their object ids, which never change.
enum class SqlType : unsigned { kBytea = 17, kBigint = 20, kText = 25 };

/// A one-dimensional array in PostgreSQL's binary form.
class ArrayParam {
 public:
  explicit ArrayParam(SqlType element);

  void add(std::string_view bytes);
  void add(std::int64_t value);
  void add_null();
  /// The encoding; nothing may be added after it.
  [[nodiscard]] std::string_view finish();
  [[nodiscard]] std::size_t bytes() const { return out_.size(); }

 private:
  void put32(std::uint32_t value);

  std::string out_;
  std::uint32_t count_ = 0;
};

/// Borrows what is passed as a view until the statement was sent. Not thread-safe.
class Params {
 public:
  Params& add(std::string_view bytes);
  Params& add(std::int64_t value);
  Params& add(std::uint64_t value) { return add(static_cast<std::int64_t>(value)); }
  Params& add_null();

  [[nodiscard]] int count() const { return static_cast<int>(values_.size()); }
  [[nodiscard]] const char* const* values() const { return values_.data(); }
  [[nodiscard]] const int* lengths() const { return lengths_.data(); }
  [[nodiscard]] const int* formats() const { return formats_.data(); }

 private:
  void push(const char* value, std::size_t length);

  std::deque<std::string> owned_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
};

/// Big-endian, as PostgreSQL sends a bigint.
[[nodiscard]] std::int64_t read_bigint(const char* bytes);

}  // namespace tributary::postgres

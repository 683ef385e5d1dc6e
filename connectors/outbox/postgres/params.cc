#include "connectors/outbox/postgres/params.h"

#include <cstring>
#include <limits>

#include <endian.h>

#include "base/check.h"

namespace tributary::postgres {
namespace {

constexpr std::size_t kCountAt = 12;  // dimensions, has nulls, element type, then the count

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

}  // namespace

std::int64_t read_bigint(const char* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<std::int64_t>(be64toh(value));
}

ArrayParam::ArrayParam(SqlType element) {
  put32(1);
  put32(1);
  put32(static_cast<std::uint32_t>(element));
  put32(0);  // the count, known at finish()
  put32(1);
}

void ArrayParam::put32(std::uint32_t value) { append_big_endian(out_, value, 4); }

void ArrayParam::add(std::string_view bytes) {
  put32(static_cast<std::uint32_t>(bytes.size()));
  out_.append(bytes);
  ++count_;
}

void ArrayParam::add(std::int64_t value) {
  put32(8);
  append_big_endian(out_, static_cast<std::uint64_t>(value), 8);
  ++count_;
}

void ArrayParam::add_null() {
  put32(0xffffffffU);
  ++count_;
}

std::string_view ArrayParam::finish() {
  std::string count;
  append_big_endian(count, count_, 4);
  out_.replace(kCountAt, count.size(), count);
  return out_;
}

void Params::push(const char* value, std::size_t length) {
  CHECK(length <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  values_.push_back(value);
  lengths_.push_back(static_cast<int>(length));
  formats_.push_back(1);
}

Params& Params::add(std::string_view bytes) {
  push(bytes.data() == nullptr ? "" : bytes.data(), bytes.size());
  return *this;
}

Params& Params::add(std::int64_t value) {
  std::string& encoded = owned_.emplace_back();
  append_big_endian(encoded, static_cast<std::uint64_t>(value), 8);
  push(encoded.data(), encoded.size());
  return *this;
}

Params& Params::add_null() {
  push(nullptr, 0);
  return *this;
}

}  // namespace tributary::postgres

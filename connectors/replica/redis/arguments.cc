#include "connectors/replica/redis/arguments.h"

#include <charconv>

#include "base/check.h"

namespace tributary::redis {
namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::size_t kCountDigits = 8;

}  // namespace

void append_head(std::string& out, char mark, std::size_t value) {
  char head[24];
  head[0] = mark;
  char* end = std::to_chars(head + 1, head + sizeof(head), value).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out.append(head, end);
}

void Arguments::add(std::string_view bytes) {
  append_head(bytes_, '$', bytes.size());
  bytes_.append(bytes).append(kEnd);
  ++size_;
}

void Arguments::add_joined(std::string_view before, std::string_view bytes,
                           std::string_view after) {
  append_head(bytes_, '$', before.size() + bytes.size() + after.size());
  bytes_.append(before).append(bytes).append(after).append(kEnd);
  ++size_;
}

void Arguments::add_number(std::uint64_t value) {
  char digits[20];
  add({digits, std::to_chars(digits, digits + sizeof(digits), value).ptr});
}

std::size_t Arguments::add_count() {
  add(std::string_view("00000000", kCountDigits));
  return bytes_.size() - kEnd.size() - kCountDigits;
}

void Arguments::set_count(std::size_t at, std::size_t count) {
  for (std::size_t i = kCountDigits; i > 0; --i) {
    bytes_[at + i - 1] = static_cast<char>('0' + count % 10);
    count /= 10;
  }
  CHECK(count == 0);
}

void Arguments::clear() {
  if (bytes_.capacity() > kKeptBuffer) bytes_ = {};
  bytes_.clear();
  size_ = 0;
}

}  // namespace tributary::redis

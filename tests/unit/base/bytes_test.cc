#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <tributary/base/bytes.h>

namespace tributary {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TEST_CASE("what is written is read back") {
  ByteWriter out;
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, kMost}) {
    out.varint(value);
  }
  out.zigzag(std::numeric_limits<std::int64_t>::min());
  out.zigzag(-1);
  out.zigzag(std::numeric_limits<std::int64_t>::max());
  out.fixed64(0x0102030405060708U);
  out.text(std::string_view("a\0b", 3));
  out.text("");

  ByteReader in(out.bytes());
  CHECK(in.varint() == 0);
  CHECK(in.varint() == 127);
  CHECK(in.varint() == 128);
  CHECK(in.varint() == kMost);
  CHECK(in.zigzag() == std::numeric_limits<std::int64_t>::min());
  CHECK(in.zigzag() == -1);
  CHECK(in.zigzag() == std::numeric_limits<std::int64_t>::max());
  CHECK(in.fixed64() == 0x0102030405060708U);
  CHECK(in.text() == std::string_view("a\0b", 3));
  CHECK(in.text().empty());
  CHECK(in.finished());
}

TEST_CASE("the bytes are the documented ones") {
  ByteWriter out;
  out.varint(300);
  out.zigzag(-2);
  out.fixed64(1);
  out.text("hi");
  CHECK(out.bytes() == std::string("\xac\x02\x03\x01\0\0\0\0\0\0\0\x02hi", 14));
}

TEST_CASE("a read past the end fails for good and yields zeros") {
  ByteReader in(std::string_view("\x01\x80", 2));
  CHECK(in.varint() == 1);
  CHECK(in.ok());
  CHECK(in.varint() == 0);
  CHECK_FALSE(in.ok());
  CHECK(in.fixed64() == 0);
  CHECK(in.text().empty());
  CHECK_FALSE(in.finished());
}

TEST_CASE("every proper prefix of a message is noticed as cut off") {
  ByteWriter out;
  out.fixed64(7);
  out.text("element");
  out.varint(1U << 20);
  for (std::size_t size = 0; size < out.bytes().size(); ++size) {
    ByteReader in(std::string_view(out.bytes()).substr(0, size));
    static_cast<void>(in.fixed64());
    static_cast<void>(in.text());
    static_cast<void>(in.varint());
    CHECK_FALSE(in.finished());
  }
}

TEST_CASE("a varint of more than 64 bits fails") {
  ByteReader eleven_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  CHECK(eleven_bytes.varint() == 0);
  CHECK_FALSE(eleven_bytes.ok());
  ByteReader bit_64("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
  CHECK(bit_64.varint() == 0);
  CHECK_FALSE(bit_64.ok());
}

TEST_CASE("a length beyond the end fails without reading") {
  ByteReader in("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x");
  CHECK(in.text().empty());
  CHECK_FALSE(in.ok());
}

TEST_CASE("bytes that are left over are not finished") {
  ByteReader in(std::string_view("\x01\x02", 2));
  CHECK(in.varint() == 1);
  CHECK(in.ok());
  CHECK(in.remaining() == 1);
  CHECK_FALSE(in.finished());
}

}  // namespace
}  // namespace tributary

#include <initializer_list>

#include <doctest/doctest.h>

#include <tributary/crdt/version_vector.h>

namespace tributary {
namespace {

constexpr ActorId kA{0xa};
constexpr ActorId kB{0xb};
constexpr ActorId kC{0xffffffffffffffffU};

VersionVector vector_of(std::initializer_list<VersionVector::Entry> entries) {
  VersionVector vector;
  for (const auto& [actor, seq] : entries) vector.raise(actor, seq);
  return vector;
}

TEST_CASE("an absent actor stands at seq 0, and raising to 0 keeps it absent") {
  VersionVector vector;
  CHECK(vector.get(kA) == Seq{0});
  vector.raise(kA, Seq{0});
  CHECK(vector.empty());
  CHECK(vector.covers({kA, Seq{0}}));
  CHECK_FALSE(vector.covers({kA, Seq{1}}));
}

TEST_CASE("raising to a lower seq changes nothing") {
  VersionVector vector = vector_of({{kA, Seq{5}}});
  vector.raise(kA, Seq{3});
  CHECK(vector.get(kA) == Seq{5});
  CHECK(vector.covers({kA, Seq{5}}));
  CHECK_FALSE(vector.covers({kA, Seq{6}}));
}

TEST_CASE("join is the pointwise maximum") {
  VersionVector one = vector_of({{kA, Seq{5}}, {kB, Seq{1}}});
  VersionVector other = vector_of({{kB, Seq{4}}, {kC, Seq{2}}});
  VersionVector back = other;
  back.join(one);
  one.join(other);
  CHECK(one == vector_of({{kA, Seq{5}}, {kB, Seq{4}}, {kC, Seq{2}}}));
  CHECK(back == one);
}

TEST_CASE("equal vectors have equal bytes, in whatever order they were raised") {
  const VersionVector one = vector_of({{kC, Seq{1}}, {kA, Seq{300}}, {kB, Seq{2}}});
  const VersionVector other = vector_of({{kB, Seq{1}}, {kA, Seq{300}}, {kB, Seq{2}}, {kC, Seq{1}}});
  CHECK(one.bytes() == other.bytes());
  CHECK(one.begin()->first == kA);
}

TEST_CASE("erased actors are absent again") {
  VersionVector vector = vector_of({{kA, Seq{1}}, {kB, Seq{2}}, {kC, Seq{3}}});
  vector.erase(kB);
  vector.erase(kB);
  vector.erase_if([](const VersionVector::Entry& entry) { return entry.second == Seq{3}; });
  CHECK(vector == vector_of({{kA, Seq{1}}}));
}

TEST_CASE("bytes and token read back as the same vector") {
  for (const VersionVector& vector :
       {VersionVector{}, vector_of({{kA, Seq{1}}}),
        vector_of({{kA, Seq{0xffffffffffffffffU}}, {kC, Seq{128}}})}) {
    CHECK(VersionVector::from_bytes(vector.bytes()) == vector);
    CHECK(VersionVector::from_token(vector.token()) == vector);
  }
  CHECK(VersionVector{}.token() == "00");
}

TEST_CASE("cut-off, prolonged or absurd bytes are refused") {
  const std::string good = vector_of({{kA, Seq{1}}, {kB, Seq{300}}}).bytes();
  for (std::size_t size = 0; size < good.size(); ++size) {
    CHECK_FALSE(VersionVector::from_bytes(good.substr(0, size)));
  }
  CHECK_FALSE(VersionVector::from_bytes(good + "x"));
  CHECK_FALSE(VersionVector::from_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
}

TEST_CASE("a token that is not hex is refused") {
  for (const char* token : {"", "0", "0g", "0G", "zz", " 00"}) {
    INFO(token);
    CHECK_FALSE(VersionVector::from_token(token));
  }
}

}  // namespace
}  // namespace tributary

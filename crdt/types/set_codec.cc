#include "crdt/types/set_codec.h"

#include <algorithm>

#include <tributary/base/bytes.h>

#include "base/check.h"

namespace tributary::crdt::set_codec {
namespace {

void encode_removal(ByteWriter& out, const Removal& removal) {
  if (!removal.observed) {
    out.varint(0);
    return;
  }
  out.varint(std::uint64_t{removal.context} + 1);
  out.varint(removal.own.value);
}

Removal decode_removal(ByteReader& in, std::size_t context_count) {
  const std::uint64_t context = in.varint();
  if (context == 0) return {};
  if (context > context_count) in.fail();
  return {Seq{in.varint()}, static_cast<std::uint32_t>(context - 1), true};
}

}  // namespace

std::string element_field(std::string_view element) {
  std::string field;
  field.reserve(element.size() + 1);
  field.push_back(kElementPrefix);
  field.append(element);
  return field;
}

std::string encode(const SetDelta& delta) {
  ByteWriter out;
  encode_removal(out, delta.clear);
  for (const ElementDelta& each : delta.elements) {
    out.text(each.element);
    out.varint(each.added.value);
    encode_removal(out, each.removal);
  }
  return out.take();
}

std::optional<SetDelta> decode_delta(std::string_view bytes, std::size_t context_count) {
  ByteReader in(bytes);
  SetDelta delta;
  delta.clear = decode_removal(in, context_count);
  while (in.ok() && !in.at_end()) {
    ElementDelta each;
    each.element = in.text();
    if (!delta.elements.empty() && each.element <= delta.elements.back().element) in.fail();
    each.added = Seq{in.varint()};
    each.removal = decode_removal(in, context_count);
    delta.elements.push_back(each);
  }
  if (!in.ok()) return std::nullopt;
  return delta;
}

namespace {

/// Leaves `in` not ok() on bytes that write_head() did not write.
Head decode_head(ByteReader& in) {
  Head head;
  head.clock = VersionVector::decode(in);
  head.deferred_clear = VersionVector::decode(in);
  while (in.ok() && !in.at_end()) {
    const std::string_view element = in.text();
    if (!head.deferring.empty() && element <= head.deferring.back()) in.fail();
    head.deferring.emplace_back(element);
  }
  return head;
}

Entry decode_entry(ByteReader& in) {
  Entry entry;
  entry.dots = VersionVector::decode(in);
  entry.deferred = VersionVector::decode(in);
  if (entry.dots.empty() && entry.deferred.empty()) in.fail();
  return entry;
}

}  // namespace

bool intact(const State& state) {
  return std::all_of(state.fields().begin(), state.fields().end(), [](const State::Field& field) {
    if (!field.value) return true;
    ByteReader in(*field.value);
    if (field.name == kHeadField) static_cast<void>(decode_head(in));
    else if (field.name.starts_with(kElementPrefix)) static_cast<void>(decode_entry(in));
    else return false;
    return in.finished();
  });
}

Head read_head(const State& state) {
  const std::string* bytes = state.find(kHeadField);
  if (bytes == nullptr) return {};
  ByteReader in(*bytes);
  Head head = decode_head(in);
  CHECK(in.ok());  // intact() was asked
  return head;
}

void write_head(State& state, const Head& head) {
  ByteWriter out;
  head.clock.encode(out);
  head.deferred_clear.encode(out);
  for (const std::string& element : head.deferring) out.text(element);
  state.set(kHeadField, out.take());
}

Entry read_entry(const State& state, std::string_view field) {
  const std::string* bytes = state.find(field);
  if (bytes == nullptr) return {};
  ByteReader in(*bytes);
  Entry entry = decode_entry(in);
  CHECK(in.finished());
  return entry;
}

void write_entry(State& state, std::string_view field, const Entry& entry) {
  if (entry.dots.empty() && entry.deferred.empty()) {
    state.erase(field);
    return;
  }
  ByteWriter out;
  entry.dots.encode(out);
  entry.deferred.encode(out);
  state.set(field, out.take());
}

}  // namespace tributary::crdt::set_codec

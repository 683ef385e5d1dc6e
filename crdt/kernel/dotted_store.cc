#include "crdt/kernel/dotted_store.h"

#include <algorithm>

#include <tributary/base/bytes.h>

#include "base/check.h"

namespace tributary::crdt::kernel {
namespace {

constexpr char kElementPrefix = 'e';

/// Leaves `in` not ok() on bytes that write_head() did not write.
DottedHead decode_head(ByteReader& in) {
  DottedHead head;
  head.clock = VersionVector::decode(in);
  head.deferred_clear = VersionVector::decode(in);
  while (in.ok() && !in.at_end()) {
    const std::string_view element = in.text();
    if (!head.deferring.empty() && element <= head.deferring.back()) in.fail();
    head.deferring.emplace_back(element);
  }
  return head;
}

DottedEntry decode_entry(ByteReader& in) {
  DottedEntry entry;
  entry.dots = VersionVector::decode(in);
  entry.deferred = VersionVector::decode(in);
  if (entry.dots.empty() && entry.deferred.empty()) in.fail();
  return entry;
}

}  // namespace

// ---- deltas --------------------------------------------------------------------------------

std::string encode(const DottedDelta& delta) {
  ByteWriter out;
  encode(out, delta.clear);
  for (const ElementDelta& each : delta.elements) {
    out.text(each.element);
    out.varint(each.added.value);
    encode(out, each.removal);
  }
  return out.take();
}

std::optional<DottedDelta> decode_dotted(std::string_view bytes, std::size_t context_count) {
  ByteReader in(bytes);
  DottedDelta delta;
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

bool within(const DottedDelta& delta, const DeltaBounds& bounds) {
  return within(delta.clear, bounds) &&
         std::ranges::all_of(delta.elements, [&](const ElementDelta& each) {
           const bool added = each.added != Seq{};
           if (added && (each.added < bounds.first_seq || each.added > bounds.last_seq))
             return false;
           return within(each.removal, bounds);
         });
}

FieldSelection touched(const DottedDelta& delta) {
  FieldSelection selection{delta.clear.observed, {}};
  selection.names.reserve(delta.elements.size() + 1);
  selection.names.emplace_back(kHeadField);
  for (const ElementDelta& each : delta.elements) selection.names.push_back(field_of(each.element));
  return selection;
}

std::string DottedDraft::encoded(ContextTable& contexts) const {
  DottedDelta delta;
  delta.clear = clear_.interned(contexts);
  for (const auto& [element, pending] : elements_) {
    delta.elements.push_back({element, pending.added, pending.removal.interned(contexts)});
  }
  return encode(delta);
}

// ---- states --------------------------------------------------------------------------------

DottedHead read_head(const State& state) {
  const std::string* bytes = state.find(kHeadField);
  if (bytes == nullptr) return {};
  ByteReader in(*bytes);
  DottedHead head = decode_head(in);
  CHECK(in.ok());  // intact_dotted() was asked
  return head;
}

void write_head(State& state, const DottedHead& head) {
  ByteWriter out;
  head.clock.encode(out);
  head.deferred_clear.encode(out);
  for (const std::string& element : head.deferring) out.text(element);
  state.set(kHeadField, out.take());
}

std::string field_of(std::string_view element) {
  std::string field;
  field.reserve(element.size() + 1);
  field.push_back(kElementPrefix);
  field.append(element);
  return field;
}

std::optional<std::string_view> element_of(const State::Field& field) {
  return field.value ? element_of(std::string_view(field.name)) : std::nullopt;
}

std::optional<std::string_view> element_of(std::string_view name) {
  if (!name.starts_with(kElementPrefix)) return std::nullopt;
  return name.substr(1);
}

DottedEntry read_entry(const State& state, std::string_view field) {
  const std::string* bytes = state.find(field);
  if (bytes == nullptr) return {};
  ByteReader in(*bytes);
  DottedEntry entry = decode_entry(in);
  CHECK(in.finished());
  return entry;
}

void write_entry(State& state, std::string_view field, const DottedEntry& entry) {
  if (entry.dots.empty() && entry.deferred.empty()) {
    state.erase(field);
    return;
  }
  ByteWriter out;
  entry.dots.encode(out);
  entry.deferred.encode(out);
  state.set(field, out.take());
}

bool intact_dotted(const State& state) {
  return std::ranges::all_of(state.fields(), [](const State::Field& field) {
    if (!field.value) return true;
    ByteReader in(*field.value);
    if (field.name == kHeadField) static_cast<void>(decode_head(in));
    else if (element_of(field)) static_cast<void>(decode_entry(in));
    else return false;
    return in.finished();
  });
}

}  // namespace tributary::crdt::kernel

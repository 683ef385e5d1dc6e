#include "tests/conformance/replica_store/draft.h"

#include <array>

namespace tributary::replica_tests {
namespace {

using crdt::Type;
using crdt::ViewEdit;
using crdt::ViewKind;

Type make_type(std::string_view name, ViewKind view) {
  Type type;
  type.name = name;
  type.view = view;
  return type;
}

}  // namespace

const Type& type_of(ViewKind kind) {
  static const std::array types{
      make_type("as_string", ViewKind::kString), make_type("as_set", ViewKind::kSet),
      make_type("as_hash", ViewKind::kHash), make_type("as_zset", ViewKind::kSortedSet),
      make_type("as_list", ViewKind::kList)};
  return types.at(static_cast<std::size_t>(kind));
}

PlainEdit put(std::string member, std::string value) {
  return {PlainEdit::Action::kPut, std::move(member), std::move(value)};
}
PlainEdit remove(std::string member) { return {PlainEdit::Action::kRemove, std::move(member), {}}; }
PlainEdit clear() { return {PlainEdit::Action::kClear, {}, {}}; }

ViewEdit PlainEdit::of(ViewKind kind) const {
  if (action == Action::kClear) return crdt::DropView{};
  if (action == Action::kRemove) return crdt::Remove{member};
  return crdt::put({member, value}, kind);
}

Draft::Key& Draft::key(std::string key, ViewKind kind, std::string version, const Fields& fields,
                       const PlainEdits& edits) {
  Key& added = keys_.emplace_back();
  added.key = std::move(key);
  added.type = &type_of(kind);
  added.version = std::move(version);
  // What is to be dropped must have been there.
  for (const auto& [name, value] : fields) {
    added.state.load(name, value ? std::nullopt : std::optional<std::string>("before"));
  }
  added.state.settle();
  for (const auto& [name, value] : fields) {
    if (value) added.state.set(name, *value);
    else added.state.erase(name);
  }
  for (const PlainEdit& each : edits) added.edits.push_back(each.of(kind));
  return added;
}

Draft& Draft::advance(ActorId actor, std::uint64_t from, std::uint64_t to) {
  advances_.push_back({actor, Seq{from}, Seq{to}});
  return *this;
}

Draft& Draft::block(std::string key, std::string expected_mark, std::optional<KeyBlock> next) {
  blocked_.push_back(std::move(key));
  marks_.push_back(std::move(expected_mark));
  blocks_.push_back({blocked_.back(), marks_.back(), std::move(next)});
  return *this;
}

Result<std::string> Draft::commit(ReplicaStore& store) {
  std::vector<KeyCommit> keys;
  for (const Key& each : keys_) {
    keys.push_back({each.key, each.type, each.version, &each.state, &each.edits, each.deferring,
                    each.whole, each.discard_damage});
  }
  return store.commit(ReplicaCommit{
      .expected_token = token ? std::optional<std::string_view>(*token) : std::nullopt,
      .advances = advances_,
      .actors = actors,
      .watermark_at_most = watermark_at_most ? &*watermark_at_most : nullptr,
      .keys = keys,
      .blocks = blocks_,
      .progress = progress,
      .parked = parked,
      .unparked = unparked,
      .discarded = discarded,
      .regained = regained,
      .hlc = hlc,
      .finished = finished});
}

}  // namespace tributary::replica_tests

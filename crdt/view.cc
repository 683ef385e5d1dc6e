#include <tributary/crdt/view.h>

namespace tributary::crdt {
namespace {

struct KindOf {
  std::optional<ViewKind> operator()(const SetString&) const { return ViewKind::kString; }
  std::optional<ViewKind> operator()(const AddMember&) const { return ViewKind::kSet; }
  std::optional<ViewKind> operator()(const PutField&) const { return ViewKind::kHash; }
  std::optional<ViewKind> operator()(const PutScore&) const { return ViewKind::kSortedSet; }
  std::optional<ViewKind> operator()(const Append&) const { return ViewKind::kList; }
  std::optional<ViewKind> operator()(const Remove&) const { return std::nullopt; }
  std::optional<ViewKind> operator()(const DropView&) const { return std::nullopt; }
};

struct EntryOf {
  std::optional<ViewEntry> operator()(const SetString& edit) const { return {{{}, edit.value}}; }
  std::optional<ViewEntry> operator()(const AddMember& edit) const { return {{edit.member, {}}}; }
  std::optional<ViewEntry> operator()(const PutField& edit) const {
    return {{edit.field, edit.value}};
  }
  std::optional<ViewEntry> operator()(const PutScore& edit) const {
    return {{edit.member, edit.score}};
  }
  std::optional<ViewEntry> operator()(const Append& edit) const { return {{{}, edit.value}}; }
  std::optional<ViewEntry> operator()(const Remove&) const { return std::nullopt; }
  std::optional<ViewEntry> operator()(const DropView&) const { return std::nullopt; }
};

}  // namespace

std::string_view to_string(ViewKind kind) {
  switch (kind) {
    case ViewKind::kString: return "string";
    case ViewKind::kSet: return "set";
    case ViewKind::kHash: return "hash";
    case ViewKind::kSortedSet: return "zset";
    case ViewKind::kList: return "list";
  }
  return "unknown";
}

bool fits(const ViewEdit& edit, ViewKind kind) {
  if (drops(edit)) return true;
  if (std::holds_alternative<Remove>(edit)) {
    return kind != ViewKind::kString && kind != ViewKind::kList;
  }
  return std::visit(KindOf{}, edit) == kind;
}

std::optional<ViewEntry> entry_of(const ViewEdit& edit) { return std::visit(EntryOf{}, edit); }

ViewEdit put(const ViewEntry& entry, ViewKind kind) {
  switch (kind) {
    case ViewKind::kString: return SetString{std::string(entry.value)};
    case ViewKind::kSet: return AddMember{std::string(entry.name)};
    case ViewKind::kHash: return PutField{std::string(entry.name), std::string(entry.value)};
    case ViewKind::kSortedSet: return PutScore{std::string(entry.name), std::string(entry.value)};
    case ViewKind::kList: return Append{std::string(entry.value)};
  }
  return DropView{};
}

}  // namespace tributary::crdt

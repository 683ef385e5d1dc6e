/// Edits to a view, the plain Redis key that clients read. Types emit them; a store carries them
/// out in order.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tributary::crdt {

/// The Redis type of a view.
enum class ViewKind { kString, kSet, kHash, kSortedSet, kList };

[[nodiscard]] std::string_view to_string(ViewKind kind);

/// What one step does to a view. Each kind of view knows its own, and all know that it is dropped.
struct SetString {
  std::string value;
};
struct AddMember {  ///< of a set
  std::string member;
};
struct PutField {  ///< of a hash
  std::string field;
  std::string value;
};
struct PutScore {  ///< of a sorted set
  std::string member;
  std::string score;  ///< as text; no NaN
};
struct Append {  ///< to a list
  std::string value;
};
struct Remove {  ///< a member of a set or sorted set, a field of a hash
  std::string name;
};
struct DropView {};

using ViewEdit = std::variant<SetString, AddMember, PutField, PutScore, Append, Remove, DropView>;
using ViewEdits = std::vector<ViewEdit>;

/// Whether views of that kind know the edit.
[[nodiscard]] bool fits(const ViewEdit& edit, ViewKind kind);

[[nodiscard]] inline bool drops(const ViewEdit& edit) {
  return std::holds_alternative<DropView>(edit);
}

/// A member or field with its value or score, as views are read; both empty where there is none.
struct ViewEntry {
  std::string_view name;
  std::string_view value;
};
/// What the edit puts into a view; nullopt: it takes something away.
[[nodiscard]] std::optional<ViewEntry> entry_of(const ViewEdit& edit);
/// The edit that puts the entry into a view of that kind.
[[nodiscard]] ViewEdit put(const ViewEntry& entry, ViewKind kind);

}  // namespace tributary::crdt

/// Edits to a view, the plain Redis key that clients read. Types emit them; a store carries them
/// out in order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tributary::crdt {

/// The Redis type of a view.
enum class ViewKind { kString, kSet, kHash, kSortedSet, kList };

[[nodiscard]] std::string_view to_string(ViewKind kind);

struct ViewEdit {
  enum class Action {
    kPut,     ///< string: the value · set: add member · hash: field=value · sorted set:
              ///< member=score · list: append value
    kRemove,  ///< set, hash, sorted set: drop the member
    kClear,   ///< drop the whole view
  };
  Action action = Action::kPut;
  std::string member;  ///< set member, hash field, sorted set member; empty for string and list
  std::string value;   ///< string value, hash value, score as text, list value; empty for set
};

using ViewEdits = std::vector<ViewEdit>;

}  // namespace tributary::crdt

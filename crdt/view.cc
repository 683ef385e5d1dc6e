#include <tributary/crdt/view.h>

namespace tributary::crdt {

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

}  // namespace tributary::crdt

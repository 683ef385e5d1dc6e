#include <tributary/crdt/context_table.h>

namespace tributary::crdt {

std::uint32_t ContextTable::intern(const VersionVector& context) {
  if (!contexts_.empty() && contexts_.back() == context) {
    return static_cast<std::uint32_t>(contexts_.size() - 1);  // runs of one context are the rule
  }
  const auto next = static_cast<std::uint32_t>(contexts_.size());
  const auto [entry, fresh] = index_of_.try_emplace(context.bytes(), next);
  if (fresh) contexts_.push_back(context);
  return entry->second;
}

}  // namespace tributary::crdt

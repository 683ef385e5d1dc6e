/// The interned contexts of one batch: many removes share one context, which is stored once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <tributary/crdt/version_vector.h>

namespace tributary::crdt {

/// Not thread-safe.
class ContextTable {
 public:
  /// The index of an equal context, added if it is new.
  [[nodiscard]] std::uint32_t intern(const VersionVector& context);
  [[nodiscard]] const std::vector<VersionVector>& contexts() const { return contexts_; }

 private:
  std::vector<VersionVector> contexts_;
  std::map<std::string, std::uint32_t> index_of_;
};

}  // namespace tributary::crdt

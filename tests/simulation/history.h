/// What the services committed, and what follows from it for the end, told independently of the
/// system: from the writes alone.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include <tributary/crdt/change.h>

namespace tributary::simulation {

/// Not thread-safe.
class History {
 public:
  /// A transaction of `origin` committed.
  void committed(const std::string& origin, const std::vector<Change>& changes);

  [[nodiscard]] std::uint64_t changes_of(const std::string& origin) const;
  /// Key -> the sum of all adds.
  [[nodiscard]] const std::map<std::string, std::int64_t>& sums() const { return sums_; }
  /// Key -> the values it may have at the end: every origin's last write ("" stands for cleared).
  [[nodiscard]] std::map<std::string, std::set<std::string>> last_writes() const;

  /// What an element of a set must be at the end.
  enum class Fate { kPresent, kAbsent, kEither };
  /// Key -> element -> fate: certain where nobody ever removed it, or where one origin alone wrote
  /// it.
  [[nodiscard]] std::map<std::string, std::map<std::string, Fate>> elements() const;

 private:
  struct Element {
    std::map<std::string, bool> last_add_of;  ///< origin -> its last operation was an add
    bool removed = false;                     ///< somebody removed it, or cleared the set
    bool added = false;
  };
  std::map<std::string, std::uint64_t> changes_;
  std::map<std::string, std::int64_t> sums_;
  std::map<std::string, std::map<std::string, std::string>> writes_;  ///< key -> origin -> value
  std::map<std::string, std::map<std::string, Element>> elements_;
};

}  // namespace tributary::simulation

/// What a region must show once it holds all that was published, told from the history alone:
/// sums of what was added, last writes by what their writers had seen, and elements whose adds no
/// remove had observed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connectors/replica/memory/replica_store.h"
#include "tests/simulation/history.h"

namespace tributary::simulation {

/// How sure a schedule lets us be.
struct Doubts {
  bool logs_lost = false;   ///< an origin's clock may start below what was lost
  std::set<char> disputed;  ///< keys that begin so have no type that all agree on
};

class Expectation {
 public:
  Expectation(const History& history, Doubts doubts);

  /// What is wrong in the replica; nullopt: nothing.
  [[nodiscard]] std::optional<std::string> check(MemoryReplica& replica) const;

 private:
  /// A change that was published.
  struct Event {
    const Written* written = nullptr;
    const Change* change = nullptr;
    std::size_t number = 0;
    Dot dot;
    std::uint64_t order = 0;  ///< among all changes
    bool behind_final = false;
  };
  enum class Seen { kNo, kPerhaps, kYes };

  [[nodiscard]] Seen observed(const Event& remove, const Event& add) const;
  [[nodiscard]] static bool precedes(const Event& earlier, const Event& later);
  [[nodiscard]] bool overwrites(const Event& later, const Event& earlier) const;
  [[nodiscard]] std::optional<std::string> check_sums(MemoryReplica& replica) const;
  [[nodiscard]] std::optional<std::string> check_registers(MemoryReplica& replica) const;
  [[nodiscard]] std::optional<std::string> check_sets(MemoryReplica& replica) const;
  /// Of all removes and clears, the surest.
  [[nodiscard]] Seen removed(const std::vector<Event>& events, const Event& add) const;

  Doubts doubts_;
  std::map<std::string, std::int64_t> sums_;
  std::map<std::string, std::vector<Event>> registers_;
  std::map<std::string, std::vector<Event>> sets_;
};

/// Values of a key as a reader sees them: names (sets, hashes), or "" and the value (strings).
[[nodiscard]] std::map<std::string, std::string> read(MemoryReplica& replica,
                                                      const std::string& key);
/// The value of a string; `absent` when there is none.
[[nodiscard]] std::string string_at(MemoryReplica& replica, const std::string& key,
                                    const std::string& absent);

}  // namespace tributary::simulation

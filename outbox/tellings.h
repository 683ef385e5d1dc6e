/// What writers are told to have seen while keys are blocked. Not for: what they are told of times.
///
/// A writer has seen less of a blocked key than the region's watermark says. Which keys are blocked
/// changes between a write and its seal, so a row must carry no more than its writer had seen from
/// the start: while any key is blocked, all writers are told the watermark lowered to what every
/// key has seen. Too little only removes too little. And the number of the telling, by which the
/// seal finds out what the row's own key had seen, as long as the relay that told it remembers.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include <tributary/crdt/version_vector.h>

namespace tributary {

/// Blocked key -> what readers of that key have seen of the actors named.
using LoweredKeys = std::map<std::string, LoweredSeqs, std::less<>>;

/// Remembers the last tellings. Not thread-safe.
class Tellings {
 public:
  /// Nobody's actor. Its entry in a context that a writer was told is the number of the telling;
  /// no context is sealed with it.
  static constexpr ActorId kNumber{0};

  struct Telling {
    Seq number;
    VersionVector watermark;
    std::shared_ptr<const LoweredKeys> lowered;
  };

  /// What to tell when the region has the watermark, `lowered` by key. `number` is one that nobody
  /// ever had; it is used when more was told than news of the `own` actor, whose entry never
  /// counts.
  [[nodiscard]] VersionVector tell(const VersionVector& watermark, const LoweredKeys& lowered,
                                   ActorId own, Seq number);
  /// nullptr when it is not known, or not any more.
  [[nodiscard]] const Telling* find(Seq number) const;

  [[nodiscard]] std::size_t size() const { return last_.size(); }

 private:
  std::deque<Telling> last_;
};

}  // namespace tributary

/// Progress that moved offsets and times only: it waits for a commit that matters, or for its time.
/// Not for: committing it.
#pragma once

#include <cstddef>
#include <map>

#include "base/clock.h"
#include "connectors/replica/replica_store.h"
#include "consumer/intake.h"
#include "consumer/settings.h"

namespace tributary {

/// An idle origin's heartbeats are worth no commit of their own. So they wait for heartbeat_commit,
/// but no longer than this costs anything:
/// - what would have to be read again after a restart stays small: anything else than heartbeats,
///   and many of these, wait for skipped_commit only;
/// - how long ago an origin was heard is known to whoever looks at the replica once that matters:
///   when an origin falls silent for heartbeat_silence.
class WaitingProgress {
 public:
  explicit WaitingProgress(const ConsumerSettings& settings) : settings_(settings) {}

  /// Takes the progress of a plan that is not committed now.
  void add(const Plan& plan, Micros now);
  void clear();
  [[nodiscard]] bool empty() const { return origins_.empty(); }
  /// It has waited long enough.
  [[nodiscard]] bool due(Micros now) const;
  /// Adds it to a plan that knows nothing newer.
  void add_to(Plan& plan) const;

 private:
  struct Waiting {
    OriginProgress progress;
    Micros heard{0};
  };

  const ConsumerSettings& settings_;
  std::map<OriginName, Waiting> origins_;
  std::size_t heartbeats_ = 0;
  bool others_ = false;  ///< than heartbeats
  Micros since_{0};
};

}  // namespace tributary

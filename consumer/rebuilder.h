/// Rebuilds keys that are incomplete here (changes left out for good, a lost or damaged state), or
/// whose type is to become another one, from the changelogs, beside the applier. Not for: whole
/// replicas, or changes that the changelogs no longer hold.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "consumer/rebuild_pass.h"
#include "consumer/settings.h"

namespace tributary {

/// One thread, with its own session of the replica and its own readers.
class Rebuilder {
 public:
  using OpenReplica = std::function<Result<std::unique_ptr<ReplicaStore>>()>;

  Rebuilder(OpenReplica open_replica, RebuildPass::Changelogs changelogs,
            const ConsumerSettings& settings, Clock& clock, Metrics& metrics);

  /// Rebuilds what is incomplete, at most a thousand keys a pass; the value is how long to wait. A
  /// pass reads all changelogs once: the pauses are ten times as long as the passes. A key that
  /// could not be made is tried again when anything of it has changed, when a person retries it,
  /// and every minute.
  Millis step(const std::stop_token& stop);

 private:
  /// What stands for a key now, as far as it decides whether it can be made.
  struct Look {
    bool possible;  ///< it is to be made anew, and no view that others wrote is in the way
    KeyBlock block;
    std::string standing;  ///< all of it: another text when something has changed
  };
  struct Hopeless {
    Micros until{0};
    std::string standing;
    std::uint64_t retries = 0;
  };

  Result<std::set<std::string>> choose(ReplicaStore& store);
  Result<Look> look(ReplicaStore& store, const std::string& key);
  Result<void> pass(ReplicaStore& store, const std::set<std::string>& wanted,
                    const std::stop_token& stop);
  Result<std::string> rebuild(ReplicaStore& store, RebuildPass& pass, const std::string& key,
                              const std::stop_token& stop);
  /// Whether a key that could not be made should be tried again.
  bool again(const std::string& key, const Look& look);
  /// Which changelogs cannot be read for it, when that has changed.
  void tell(const std::map<OriginName, std::string>& unread);
  Result<void> give_up(ReplicaStore& store, const std::string& key, std::string reason);

  OpenReplica open_replica_;
  RebuildPass::Changelogs changelogs_;
  const ConsumerSettings& settings_;
  Clock& clock_;
  EventCount& rebuilt_;
  std::unique_ptr<ReplicaStore> store_;
  std::string cursor_;                        ///< in the blocked keys
  std::map<std::string, Hopeless> hopeless_;  ///< keys that could not be made
  std::map<OriginName, std::string> unread_;  ///< changelogs, as told last
  std::string outage_;                        ///< the reason told last; empty: all is well
};

}  // namespace tributary

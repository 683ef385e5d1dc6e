/// Whether every region holds every change, and how far each one is: a judgement over what was read
/// from databases, streams and replicas. No I/O. Not for: asking them (status.h), or words
/// (reasons.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connectors/outbox/outbox_store.h"
#include "connectors/replica/replica_store.h"

namespace tributary::cli {

/// The last message of an origin's stream: a batch of changes up to `head`, or a heartbeat that
/// tells it.
struct StreamEnd {
  ActorId actor;
  Seq head;
  std::vector<FormerActor> former;  ///< whom the actor followed
};

/// What is known of an origin of the topology.
struct OriginFacts {
  std::string name;
  std::string region;
  bool retired = false;                      ///< the topology says so; its database is not asked
  std::optional<OutboxStatus> outbox;        ///< absent: retired, or not reached
  std::string problem;                       ///< why it was not reached
  bool refused = false;                      ///< it was reached, and does not let us look
  std::string stream_problem;                ///< why its stream cannot be read; empty: it can
  std::optional<StreamEnd> stream_end = {};  ///< absent: none, or it says nothing
  std::string parked_example;                ///< the first change set aside, in words
};

struct ReplicaFacts {
  ReplicaProgress progress;
  std::uint64_t parked = 0;
  std::string parked_example;
  std::vector<std::string> discarded;  ///< ids of what a person gave up here, in order
  std::vector<std::string> warnings;
};

struct RegionFacts {
  std::string name;
  std::optional<ReplicaFacts> replica;  ///< absent: not reached
  std::string problem;                  ///< why
  bool refused = false;                 ///< it was reached, and does not let us look
};

/// All that one look at the whole system found. Origins were asked before regions.
struct SystemFacts {
  std::vector<OriginFacts> origins;
  std::vector<RegionFacts> regions;
  Micros now{0};  ///< wall time
};

/// How much of one actor's changes every region has to hold: the largest seq that its origin, its
/// stream's end, its successor or any region tells of. Of one that has ended, what came after its
/// end counts only where some region holds it: it is void, and never arrives anywhere.
struct ActorTarget {
  std::string origin;  ///< empty: no region says whose the actor is
  Seq target;
  std::optional<Seq> final_seq;  ///< it was followed by another actor
  bool current = false;          ///< the origin's database says that this is its actor
};
using ActorTargets = std::map<ActorId, ActorTarget>;
[[nodiscard]] ActorTargets targets_of(const SystemFacts& facts);

/// One region's progress with one origin.
struct Lag {
  std::string origin;  ///< empty: changes of actors that nobody knows
  bool in_topology = true;
  std::uint64_t applied_seq = 0;             ///< of the origin's current actor
  std::optional<std::uint64_t> lag_changes;  ///< of all its actors; absent: not known
  std::optional<double> lag_seconds;         ///< absent: not known
  std::map<ActorId, std::uint64_t> missing;  ///< changes that are not here, by actor; no zeros
};
/// Per origin of the topology, in its order, then of origins that it does not name. None for a
/// region that was not reached.
[[nodiscard]] std::vector<Lag> lags_of(const SystemFacts& facts, const ActorTargets& targets,
                                       const RegionFacts& region);

/// The judgement. Converged: all servers answered, nothing waits or is set aside anywhere, and all
/// regions hold the same changes, all that there are.
struct StatusReport {
  SystemFacts facts;
  std::vector<std::vector<Lag>> lags;  ///< per region, in their order
  std::vector<std::string> reasons;    ///< why it is not converged, the most urgent first
  std::vector<std::string> warnings;   ///< what an operator should look at all the same
  bool all_reached = true;
  [[nodiscard]] bool converged() const { return reasons.empty(); }
};
[[nodiscard]] StatusReport judge(SystemFacts facts);

/// Origins whose head, as asked, is below what a region, or their stream, holds of their actor: ask
/// them again, they may have gone on meanwhile. If they have not, their databases went back.
[[nodiscard]] std::vector<std::string> outrun_origins(const SystemFacts& facts);

}  // namespace tributary::cli

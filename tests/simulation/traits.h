/// Which kinds of trouble a world knows. Many worlds have few, so that each is met alone and in
/// company.
#pragma once

#include <string>

#include "tests/simulation/dice.h"

namespace tributary::simulation {

struct Traits {
  explicit Traits(Dice& dice);

  bool default_settings = false;
  bool skew = false;            ///< every machine its own clock, and some jump
  bool restores = false;        ///< of the origins' databases
  bool log_losses = false;      ///< changelogs are truncated and deleted
  bool replica_losses = false;  ///< replicas are flushed and go back
  bool tampering = false;       ///< other programs write to the replicas
  bool forgeries = false;       ///< messages and contexts that lie
  bool parking = false;         ///< keyspaces are missing for a while: transactions are parked
  bool roll_out = false;        ///< a keyspace is added while everything runs
  bool disagreement = false;    ///< two origins disagree on a key's type
  bool broken_origin = false;   ///< one origin's database or stream breaks for good
  bool slow_links = false;      ///< into one region the log of one origin comes late
  bool absent_replica = false;  ///< one region's replica is away at the start

  [[nodiscard]] std::string names() const;
};

}  // namespace tributary::simulation

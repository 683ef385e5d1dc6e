/// Reading what a replica in memory holds. Private to the replica in memory.
#pragma once

#include <span>
#include <string_view>

#include "connectors/replica/memory/replica_disk.h"

namespace tributary {

// As in ReplicaStore.
[[nodiscard]] LoadedKey load_key(const ReplicaDisk& disk, const KeyLoad& load);
[[nodiscard]] KeyReading read_key(const ReplicaDisk& disk, std::string_view key);
[[nodiscard]] ProgressSample sample_of(const ReplicaProgress& progress,
                                       std::span<const ActorId> actors);
[[nodiscard]] ReplicaContext read_context(const ReplicaDisk& disk);

}  // namespace tributary

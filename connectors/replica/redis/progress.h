/// What a replica in Redis knows of the origins.
#pragma once

#include <span>

#include "connectors/replica/redis/connection.h"
#include "connectors/replica/redis/layout.h"
#include "connectors/replica/replica_store.h"

namespace tributary::redis {

/// ReplicaStore::progress(), sample() and context().
[[nodiscard]] Result<ReplicaProgress> read_progress(Connection& connection);
[[nodiscard]] Result<ProgressSample> read_sample(Connection& connection,
                                                 std::span<const ActorId> actors);
[[nodiscard]] Result<ReplicaContext> read_context(Connection& connection);

/// Of a reply with the pairs in tributary:watermark. What cannot be read counts as nothing.
[[nodiscard]] VersionVector decode_watermark(const redisReply& pairs);
[[nodiscard]] LoweredSeqs decode_lowest(const redisReply& pairs);

/// An error that says which of our keys holds another type, if `error` is about that: kTransient,
/// since move_strays_aside() mends it.
[[nodiscard]] Error explained(Connection& connection, Error error);

}  // namespace tributary::redis

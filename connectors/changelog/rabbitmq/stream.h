/// What is asked of the broker about a stream: declare it, count it, consume it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <tributary/base/result.h>

#include "connectors/changelog/changelog.h"
#include "connectors/changelog/rabbitmq/changelog.h"
#include "connectors/changelog/rabbitmq/connection.h"

namespace tributary::rabbitmq {

/// Whether a queue of that name is there, of whatever shape. Needs no permission.
Result<bool> exists(Connection& connection, const std::string& stream);

/// Makes the stream with the endpoint's limits, or finds it made with these. Needs the configure
/// permission (else kFatal). kInvalid when there is a queue of other limits or another shape; the
/// broker does not say which.
Result<void> declare_stream(Connection& connection, const Endpoint& endpoint,
                            const std::string& stream);

/// Fails with kInvalid when the queue is there and is no stream. Needs the read permission, and
/// believes in a stream without it. The connection is dead afterwards: the broker answers a
/// basic.get from a stream by closing it.
Result<void> demand_stream(Connection& connection, const std::string& stream);

/// How many messages the broker believes to be there. Up to 5 s old: a hint, never a proof.
/// kTransient when the stream is missing.
Result<std::uint64_t> rough_count(Connection& connection, const std::string& stream);

/// Where a consumer starts. An offset is inclusive; the broker begins at the first message kept
/// when it is gone, and delivers nothing, without an error, when it lies beyond the end.
struct StartAt {
  enum class Kind { kFirst, kLastChunk, kOffset };
  Kind kind = Kind::kFirst;
  Offset offset{};
};

/// Begins deliveries on the connection. kTransient when the stream is missing; kInvalid when the
/// queue is not a stream.
Result<void> consume(Connection& connection, const std::string& stream, StartAt start,
                     std::uint16_t prefetch);

}  // namespace tributary::rabbitmq

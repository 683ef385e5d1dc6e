/// What is asked of the broker about a stream: declare it, count it, consume it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <tributary/base/result.h>
#include <tributary/connectors/changelog.h>
#include <tributary/connectors/rabbitmq/changelog.h>
#include <tributary/connectors/rabbitmq/connection.h>

namespace tributary::rabbitmq {

/// kInvalid when a queue of that name has another type or other limits.
Result<void> declare_stream(Connection& connection, const Endpoint& endpoint,
                            const std::string& stream);

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

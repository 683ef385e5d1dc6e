/// The last message of a stream, which AMQP 0-9-1 has no question for.
#pragma once

#include <optional>
#include <string>

#include <tributary/base/result.h>

#include "connectors/changelog/changelog.h"
#include "connectors/changelog/rabbitmq/changelog.h"

namespace tributary::rabbitmq {

/// Consumes from the last chunk and reads it to its end. The end is certain, not guessed: the
/// channel answers requests in turn, so what precedes the answer to a request sent after the first
/// delivery is all there was. Emptiness is not certain: it is concluded when the broker counts no
/// message and delivers none for 100 ms. A message on its way to the log may or may not be
/// included. kTransient when the broker counts messages and delivers none, or the stream is
/// missing.
Result<std::optional<ChangelogMessage>> read_tail(const Endpoint& endpoint,
                                                  const std::string& stream);

}  // namespace tributary::rabbitmq

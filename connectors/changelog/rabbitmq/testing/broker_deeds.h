/// What tests do to a broker behind the connector's back. Never part of a program.
#pragma once

#include <string>

#include <tributary/base/result.h>

#include "connectors/changelog/rabbitmq/changelog.h"

namespace tributary::rabbitmq::testing {

Result<void> delete_queue(const Endpoint& endpoint, const std::string& queue);
/// A durable queue that is no stream.
Result<void> declare_classic_queue(const Endpoint& endpoint, const std::string& queue);

}  // namespace tributary::rabbitmq::testing

/// From an endpoint to a logged-in connection. Not for: channels and frames (connection.h).
#pragma once

#include <memory>
#include <string_view>

#include <tributary/base/result.h>
#include <tributary/connectors/rabbitmq/address.h>
#include <tributary/connectors/rabbitmq/changelog.h>

struct amqp_connection_state_t_;

namespace tributary::rabbitmq {

/// Closes the socket without a word to the broker.
struct HandleDeleter {
  void operator()(amqp_connection_state_t_* handle) const noexcept;
};
using Handle = std::unique_ptr<amqp_connection_state_t_, HandleDeleter>;

/// Connects, verifies the broker when it is amqps, and logs in, within the endpoint's deadline (the
/// resolver's own time-out comes on top). `purpose` is shown in the broker's list of connections.
Result<Handle> dial(const Endpoint& endpoint, const Address& address, std::string_view purpose);

}  // namespace tributary::rabbitmq

/// From an endpoint to a logged-in connection. Not for: channels and frames (connection.h).
#pragma once

#include <memory>

#include <tributary/base/result.h>

#include "connectors/changelog/rabbitmq/address.h"
#include "connectors/changelog/rabbitmq/changelog.h"
#include "connectors/changelog/rabbitmq/party.h"

struct amqp_connection_state_t_;

namespace tributary::rabbitmq {

/// Closes the socket without a word to the broker.
struct HandleDeleter {
  void operator()(amqp_connection_state_t_* handle) const noexcept;
};
using Handle = std::unique_ptr<amqp_connection_state_t_, HandleDeleter>;

/// Connects, verifies the broker when it is amqps, and logs in. The endpoint's deadline holds for
/// connecting, and for each of the login's three exchanges, so that a link that is merely slow or
/// busy passes (the resolver's own time-out comes on top). The broker's list of connections shows
/// the party's role and stream.
Result<Handle> dial(const Endpoint& endpoint, const Address& address, const Party& party);

}  // namespace tributary::rabbitmq

/// An AMQP URL taken apart. Not for: connecting (dial.h).
#pragma once

#include <string>

#include <tributary/base/result.h>

#include "connectors/changelog/rabbitmq/changelog.h"

namespace tributary::rabbitmq {

struct Address {
  std::string host;
  int port = 0;
  std::string vhost;
  std::string username;
  std::string password;
  bool tls = false;

  /// "rabbitmq amqp://host:port/vhost": how messages name the broker, without credentials.
  [[nodiscard]] std::string label() const;
};

/// kInvalid when the URL is not an AMQP URL; the message does not repeat the URL, which may hold a
/// password.
Result<Address> parse_address(const Endpoint& endpoint);

}  // namespace tributary::rabbitmq

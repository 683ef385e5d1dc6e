#include "connectors/changelog/rabbitmq/address.h"

#include <vector>

#include <amqp.h>

namespace tributary::rabbitmq {

std::string Address::label() const {
  const bool bare_v6 = host.find(':') != std::string::npos;
  std::string text = tls ? "rabbitmq amqps://" : "rabbitmq amqp://";
  text += bare_v6 ? "[" + host + "]" : host;
  text += ":" + std::to_string(port);
  if (vhost != "/") text += "/" + vhost;
  return text;
}

Result<Address> parse_address(const Endpoint& endpoint) {
  // The parser writes into its input, and leaves it alone from the terminating zero on.
  std::vector<char> url(endpoint.url.begin(), endpoint.url.end());
  url.push_back('\0');
  amqp_connection_info info{};
  amqp_default_connection_info(&info);
  if (amqp_parse_url(url.data(), &info) != AMQP_STATUS_OK || info.host[0] == '\0') {
    return fail(ErrorKind::kInvalid,
                "rabbitmq: malformed broker URL; write amqp://host:port/vhost or amqps://…");
  }
  Address address;
  address.host = info.host;
  address.port = info.port;
  // amqp://host/ names the vhost "", which nobody has; people mean the default one.
  address.vhost = info.vhost[0] == '\0' ? "/" : info.vhost;
  address.username = endpoint.username.empty() ? info.user : endpoint.username;
  const std::string password = endpoint.password ? endpoint.password() : std::string();
  // The library fills in guest's: never for another user.
  const bool of_the_url = password.empty() && endpoint.username.empty();
  address.password = of_the_url ? info.password : password;
  address.tls = info.ssl != 0;
  return address;
}

}  // namespace tributary::rabbitmq

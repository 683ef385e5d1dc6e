#include "connectors/changelog/rabbitmq/retention.h"

#include <limits>

#include "connectors/changelog/rabbitmq/address.h"
#include "connectors/changelog/rabbitmq/changelog.h"

namespace tributary::rabbitmq {

namespace {

/// A policy can only replace a limit, not lift it.
constexpr const char* kForEver = "1000Y";
constexpr auto kEverything = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

/// A regular expression that matches the name and nothing else.
std::string exactly(const std::string& name) {
  std::string pattern = "^";
  for (const char c : name) {
    if (c == '.') pattern += '\\';
    pattern += c;
  }
  return pattern + "$";
}

/// As one word for a shell.
std::string quoted(const std::string& text) {
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') word += "'\\'";
    word += c;
  }
  return word + "'";
}

}  // namespace

std::string retention_policy(const std::string& broker_url, const OriginName& origin,
                             std::chrono::seconds max_age, std::uint64_t max_bytes) {
  Endpoint endpoint;
  endpoint.url = broker_url;
  const auto address = parse_address(endpoint);
  const std::string vhost = address ? address->vhost : "/";
  const std::string stream = stream_name(origin);
  const std::string age = max_age.count() > 0 ? std::to_string(max_age.count()) + "s" : kForEver;
  const std::uint64_t bytes = max_bytes > 0 ? max_bytes : kEverything;
  return "rabbitmqctl set_policy -p " + quoted(vhost) + " '" + stream + "' '" + exactly(stream) +
         "' '{\"max-age\": \"" + age + "\", \"max-length-bytes\": " + std::to_string(bytes) +
         "}' --apply-to queues";
}

}  // namespace tributary::rabbitmq

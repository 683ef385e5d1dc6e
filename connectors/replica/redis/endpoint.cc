#include "connectors/replica/redis/endpoint.h"

#include <charconv>
#include <optional>
#include <string_view>

#include "base/percent.h"

namespace tributary::redis {
namespace {

constexpr std::string_view kForms = "redis://host:port/database or unix:///path/to/socket?db=0";

std::optional<int> parse_number(std::string_view text, int largest) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < 0 || value > largest) return std::nullopt;
  return value;
}

tl::unexpected<Error> refuse(std::string_view url, std::string_view why) {
  return fail(ErrorKind::kInvalid, "replica URL \"" + std::string(url) + "\": " + std::string(why));
}

Result<int> parse_database(std::string_view url, std::string_view text) {
  if (text.empty()) return 0;
  const auto number = parse_number(text, 1 << 20);
  if (!number) return refuse(url, "\"" + std::string(text) + "\" is not a database number");
  return *number;
}

Result<Endpoint> parse_socket(std::string_view url, std::string_view rest) {
  constexpr std::string_view kDatabase = "?db=";
  Endpoint endpoint;
  if (const auto query = rest.find('?'); query != std::string_view::npos) {
    if (!rest.substr(query).starts_with(kDatabase)) {
      return refuse(url, "only ?db=number may follow the path");
    }
    TRIBUTARY_ASSIGN(endpoint.database, parse_database(url, rest.substr(query + kDatabase.size())));
    rest = rest.substr(0, query);
  }
  if (!rest.starts_with('/')) return refuse(url, "the path of the socket must be absolute");
  const auto path = percent_decoded(rest);
  if (!path) return refuse(url, "a % needs two hexadecimal digits behind it");
  endpoint.socket = *path;
  return endpoint;
}

/// "host", "host:port", "[v6]" or "[v6]:port".
Result<Endpoint> parse_host(std::string_view url, std::string_view rest) {
  Endpoint endpoint;
  std::size_t host_end = rest.find(':');
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return refuse(url, "the ] of the IPv6 address is missing");
    endpoint.host = rest.substr(1, close - 1);
    host_end = close + 1;
  } else {
    endpoint.host = rest.substr(0, host_end);
  }
  if (endpoint.host.empty()) return refuse(url, "it names no host");
  if (host_end >= rest.size()) return endpoint;
  const auto port = parse_number(rest.substr(host_end + 1), 65535);
  if (rest[host_end] != ':' || !port || *port == 0) {
    return refuse(url, "the port must be a number from 1 to 65535");
  }
  endpoint.port = *port;
  return endpoint;
}

}  // namespace

std::string Endpoint::name() const {
  const std::string number = std::to_string(database);
  if (!socket.empty()) return "unix://" + socket + "?db=" + number;
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return "redis://" + shown + ":" + std::to_string(port) + "/" + number;
}

Result<Endpoint> parse_url(std::string_view url) {
  constexpr std::string_view kTcp = "redis://";
  constexpr std::string_view kUnix = "unix://";
  const bool socket = url.starts_with(kUnix);
  if (url.find('@') != std::string_view::npos && !url.starts_with("unix:///")) {
    return fail(ErrorKind::kInvalid,
                "a replica URL holds credentials; name them apart, by file or environment");
  }
  if (url.starts_with("rediss://")) {
    return refuse(url, "TLS to Redis is not supported; use redis:// through a local TLS tunnel");
  }
  if (socket) return parse_socket(url, url.substr(kUnix.size()));
  if (!url.starts_with(kTcp)) return refuse(url, "it must be " + std::string(kForms));
  const std::string_view rest = url.substr(kTcp.size());
  const auto slash = rest.find('/');
  TRIBUTARY_ASSIGN(Endpoint endpoint, parse_host(url, rest.substr(0, slash)));
  if (slash != std::string_view::npos) {
    TRIBUTARY_ASSIGN(endpoint.database, parse_database(url, rest.substr(slash + 1)));
  }
  return endpoint;
}

}  // namespace tributary::redis

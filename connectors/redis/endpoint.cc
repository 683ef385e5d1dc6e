#include <charconv>
#include <string_view>

#include <tributary/connectors/redis/endpoint.h>

namespace tributary::redis {
namespace {

bool parse_number(std::string_view text, int& out, int largest) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out >= 0 && out <= largest;
}

}  // namespace

std::string Endpoint::name() const {
  return "redis://" + host + ":" + std::to_string(port) + "/" + std::to_string(database);
}

Result<Endpoint> parse_url(const std::string& url) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorKind::kInvalid, "replica URL \"" + url + "\": " + why);
  };
  constexpr std::string_view kScheme = "redis://";
  std::string_view rest = url;
  if (rest.starts_with("rediss://")) {
    return refuse("TLS to Redis is not supported; use redis:// through a TLS tunnel on loopback");
  }
  if (!rest.starts_with(kScheme)) return refuse("it must start with redis://");
  rest.remove_prefix(kScheme.size());
  if (rest.find('@') != std::string_view::npos) {
    return fail(ErrorKind::kInvalid,
                "a replica URL holds credentials; use username and password_file or password_env");
  }
  Endpoint endpoint;
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view database = rest.substr(slash + 1);
    if (!database.empty() && !parse_number(database, endpoint.database, 1 << 20)) {
      return refuse("the part behind the last / is a database number");
    }
    rest = rest.substr(0, slash);
  }
  if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
    if (!parse_number(rest.substr(colon + 1), endpoint.port, 65535)) {
      return refuse("the port is a number up to 65535");
    }
    rest = rest.substr(0, colon);
  }
  if (rest.empty()) return refuse("it names no host");
  endpoint.host = rest;
  return endpoint;
}

}  // namespace tributary::redis

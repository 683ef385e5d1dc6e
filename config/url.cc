#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <vector>

#include <tributary/config/url.h>

namespace tributary::config {
namespace {

struct Scheme {
  UrlKind kind;
  std::string_view name;
};
constexpr Scheme kSchemes[] = {
    {UrlKind::kBroker, "amqp"},       {UrlKind::kBroker, "amqps"},
    {UrlKind::kReplica, "redis"},     {UrlKind::kDatabase, "postgresql"},
    {UrlKind::kDatabase, "postgres"}, {UrlKind::kDatabase, "sqlite"},
};

/// Why the URL does not start as it should; nullopt when it does.
std::optional<std::string> wrong_scheme(UrlKind kind, std::string_view scheme) {
  std::string legal;
  for (const Scheme& each : kSchemes) {
    if (each.kind != kind) continue;
    if (each.name == scheme) return std::nullopt;
    legal.append(legal.empty() ? "" : " or ").append(each.name).append("://");
  }
  if (scheme == "rediss") {
    return "hiredis 0.14 has no TLS; use redis:// through a TLS tunnel on loopback";
  }
  return "the URL must start with " + legal;
}

bool is_number(std::string_view text, int least, int most) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc{} && parsed.ptr == end && value >= least && value <= most;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    out.push_back(escape ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]))
                         : text[i]);
    if (escape) i += 2;
  }
  return out;
}

void take_user(Url& url, std::string_view user) {
  const std::size_t colon = user.find(':');
  url.username = decoded(user.substr(0, colon));
  if (colon == std::string_view::npos) return;
  url.has_password = true;
  url.password = decoded(user.substr(colon + 1));
}

/// The port behind the last colon that is not inside [an IPv6 address]; empty when there is none.
std::optional<std::string_view> port_of(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  const bool none =
      colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket);
  return none ? std::nullopt : std::optional(host.substr(colon + 1));
}

/// What is wrong with host, port and path; empty when nothing is.
std::string wrong_place(UrlKind kind, const Url& url) {
  if (url.is_file()) {
    const bool absolute = url.host.empty() && url.rest.size() > 1;
    return absolute ? "" : "give the file's absolute path, as in sqlite:///var/lib/shop.db";
  }
  if (kind == UrlKind::kDatabase) {
    const bool several = url.host.find(',') != std::string::npos;  // libpq tries them in turn
    if (url.host.empty() || several) return "";
  } else if (url.host.empty() || url.host.front() == ':') {
    return "the URL names no host";
  }
  const auto port = port_of(url.host);
  if (port && !is_number(*port, 1, 65'535)) return "the port must be a number from 1 to 65535";
  const bool numbered = url.rest.size() <= 1 || is_number(url.rest.substr(1), 0, 1 << 20);
  if (kind == UrlKind::kReplica && !numbered) {
    return "what follows the host must be a database number, as in /0";
  }
  return "";
}

}  // namespace

std::string Url::without_password(bool with_username) const {
  const std::string user = with_username && !username.empty() ? username + "@" : "";
  return scheme + "://" + user + host + rest;
}

std::string Url::identity() const {
  if (is_file()) return "sqlite://" + std::filesystem::path(rest).lexically_normal().string();
  if (host.empty()) return "postgresql://" + rest;
  const std::string port = port_of(host) ? "" : ":5432";
  return "postgresql://" + host + port + rest.substr(0, rest.find('?'));
}

tl::expected<Url, std::string> parse_url(UrlKind kind, std::string_view text) {
  const std::size_t colon = text.find("://");
  const std::string_view scheme =
      colon == std::string_view::npos ? std::string_view() : text.substr(0, colon);
  if (auto wrong = wrong_scheme(kind, scheme)) return tl::make_unexpected(std::move(*wrong));
  Url url;
  url.scheme = scheme;
  std::string_view host = text.substr(colon + 3);
  const std::size_t end = std::min(host.find_first_of("/?#"), host.size());
  url.rest = host.substr(end);
  host = host.substr(0, end);
  if (const std::size_t at = host.rfind('@'); at != std::string_view::npos && !url.is_file()) {
    take_user(url, host.substr(0, at));
    host = host.substr(at + 1);
  }
  url.host = host;
  if (std::string wrong = wrong_place(kind, url); !wrong.empty()) {
    return tl::make_unexpected(std::move(wrong));
  }
  return url;
}

std::string wrong_with_listen_address(std::string_view text) {
  const auto port = port_of(text);
  const bool right = port && port->size() + 1 < text.size() && is_number(*port, 1, 65'535);
  return right ? "" : "write host:port, as in 127.0.0.1:9401";
}

}  // namespace tributary::config

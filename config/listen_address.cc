#include "config/listen_address.h"

#include "config/host.h"

namespace tributary::config {
namespace {

struct Address {
  std::string host;
  std::string port;
  bool bracketed = false;
};

Address split(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  Address out{.host = std::string(text.substr(0, colon)),
              .port = std::string(text.substr(colon + 1)),
              .bracketed = false};
  out.bracketed = out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']';
  if (out.bracketed) out.host = out.host.substr(1, out.host.size() - 2);
  return out;
}

bool everywhere(const std::string& host) { return host == "0.0.0.0" || same_host(host) == "::"; }

}  // namespace

std::string wrong_with_listen_address(std::string_view text) {
  const Address address = split(text);
  const bool v6 = address.host.find(':') != std::string::npos;
  const bool right = is_port(address.port) && is_host(address.host) && v6 == address.bracketed;
  return right ? "" : "write host:port, as in 127.0.0.1:9401";
}

bool listen_addresses_collide(std::string_view one, std::string_view other) {
  const Address a = split(one);
  const Address b = split(other);
  return std::stoi(a.port) == std::stoi(b.port) &&
         (everywhere(a.host) || everywhere(b.host) || same_host(a.host) == same_host(b.host));
}

}  // namespace tributary::config

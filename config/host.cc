#include "config/host.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <arpa/inet.h>

namespace tributary::config {
namespace {

bool is_v4(const std::string& text) {
  in_addr address{};
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
}

bool is_v6(const std::string& text) {
  in6_addr address{};
  return inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

}  // namespace

bool is_number(std::string_view text, int least, int most) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  return parsed.ec == std::errc{} && parsed.ptr == end && value >= least && value <= most;
}

bool is_port(std::string_view text) { return is_number(text, 1, 65'535); }

bool is_ip_address(const std::string& text) { return is_v4(text) || is_v6(text); }

bool is_host(const std::string& text) {
  constexpr std::string_view kDotted = "0123456789.";
  if (text.empty() || text.size() > 253) return false;
  if (text.find(':') != std::string::npos) return is_v6(text);
  if (text.find_first_not_of(kDotted) == std::string::npos) return is_v4(text);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
}

std::string same_host(const std::string& text) {
  std::string name = text;
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name.ends_with('.')) name.pop_back();
  if (name == "localhost" || name.ends_with(".localhost") ||
      (name.starts_with("127.") && is_v4(name))) {
    return "localhost";
  }
  in6_addr address{};
  if (inet_pton(AF_INET6, name.c_str(), &address) != 1) return name;
  if (IN6_IS_ADDR_LOOPBACK(&address)) return "localhost";
  char text6[INET6_ADDRSTRLEN];
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    return same_host(inet_ntop(AF_INET, &address.s6_addr[12], text6, sizeof(text6)));
  }
  return inet_ntop(AF_INET6, &address, text6, sizeof(text6));
}

}  // namespace tributary::config

/// Host names, addresses and ports as texts. Private to config.
#pragma once

#include <string>
#include <string_view>

namespace tributary::config {

[[nodiscard]] bool is_number(std::string_view text, int least, int most);
/// From 1 to 65535.
[[nodiscard]] bool is_port(std::string_view text);
[[nodiscard]] bool is_ip_address(const std::string& text);
/// A name or an address that may be looked up: letters, digits, - _ and dots, or an IPv6 address
/// without brackets. What looks like an IPv4 address must be one.
[[nodiscard]] bool is_host(const std::string& text);

/// One spelling for all names of this machine, and for one address in capital or small letters.
[[nodiscard]] std::string same_host(const std::string& text);

}  // namespace tributary::config

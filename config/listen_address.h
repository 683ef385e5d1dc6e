/// The addresses where daemons serve metrics.
#pragma once

#include <string>
#include <string_view>

namespace tributary::config {

/// What is wrong with a `host:port` to listen on; empty when nothing is.
[[nodiscard]] std::string wrong_with_listen_address(std::string_view text);

/// Whether two processes of one host cannot both listen there. Both must be right.
[[nodiscard]] bool listen_addresses_collide(std::string_view one, std::string_view other);

}  // namespace tributary::config

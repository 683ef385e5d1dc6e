/// Where a Redis is and how to log in.
#pragma once

#include <string>
#include <string_view>

#include <tributary/base/result.h>

#include "base/clock.h"

namespace tributary::redis {

/// Of host and socket, a socket goes first.
struct Endpoint {
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string socket;  ///< absolute path of a Unix socket; empty: host and port
  int database = 0;
  std::string username;  ///< empty: the default user
  std::string password;  ///< empty: no AUTH
  Millis connect_deadline{2000};
  Millis command_deadline{5000};

  /// For messages; without credentials.
  [[nodiscard]] std::string name() const;
};

/// redis://host[:port][/database] or unix:///path[?db=database]; credentials and deadlines are the
/// caller's to add. kInvalid for anything else. Credentials in a URL are refused and not repeated
/// in the message; rediss:// is refused by name, because hiredis 0.14 has no TLS.
[[nodiscard]] Result<Endpoint> parse_url(std::string_view url);

}  // namespace tributary::redis

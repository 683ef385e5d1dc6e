/// Where a Redis is and how to log in.
#pragma once

#include <string>

#include <tributary/base/clock.h>
#include <tributary/base/result.h>

namespace tributary::redis {

struct Endpoint {
  std::string host = "127.0.0.1";
  int port = 6379;
  int database = 0;
  std::string username;  ///< empty: the default user
  std::string password;  ///< empty: no AUTH
  Millis connect_deadline{2000};
  Millis command_deadline{5000};

  /// For messages; without credentials.
  [[nodiscard]] std::string name() const;
};

/// redis://host[:port][/database]. kInvalid for anything else; rediss:// is refused by name,
/// because hiredis 0.14 has no TLS.
[[nodiscard]] Result<Endpoint> parse_url(const std::string& url);

}  // namespace tributary::redis

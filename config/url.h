/// An address in a topology, taken apart and put together again. What must hold for each kind is
/// in url_rules.h. Private to config; the connectors parse their own URLs again.
///
/// No message repeats any part of a URL: whatever part it looks like, it may be a password.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace tributary::config {

/// What a URL leads to; decides which schemes are legal.
enum class UrlKind { kBroker, kReplica, kDatabase };

/// Decoded, an IPv6 address without brackets. An empty port is the default one.
struct Host {
  std::string name;
  std::string port;
};

/// All texts are decoded.
struct Url {
  std::string scheme;  ///< in small letters, without ://
  std::string username;
  std::string password;
  std::vector<Host> hosts;  ///< several only for PostgreSQL; empty for a file or a socket
  std::string path;         ///< of a file or a socket absolute; else without the / behind the host
  std::vector<std::pair<std::string, std::string>> query;

  /// Whether it leads to a file of this machine (a database or a socket), rather than to a host.
  [[nodiscard]] bool is_file() const { return scheme == "sqlite" || scheme == "unix"; }
  [[nodiscard]] bool is_sqlite() const { return scheme == "sqlite"; }
  /// One spelling for all equal URLs, percent-encoded, without the password; without the user name
  /// too unless `with_username`.
  [[nodiscard]] std::string without_password(bool with_username) const;
};

/// The parts of `text`; on failure what is wrong with its spelling, for a user.
[[nodiscard]] tl::expected<Url, std::string> parse_url(UrlKind kind, std::string_view text);

}  // namespace tributary::config

/// The addresses in a topology: what must hold for each kind, and where credentials hide in them.
/// Private to config; the connectors parse their own URLs again.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace tributary::config {

/// What a URL leads to; decides which schemes are legal.
enum class UrlKind { kBroker, kReplica, kDatabase };

struct Url {
  std::string scheme;    ///< without ://
  std::string username;  ///< decoded
  std::string password;  ///< decoded
  std::string host;      ///< with the port, as it stands; empty for a file or a socket
  std::string rest;      ///< from the / or ? behind the host
  bool has_password = false;

  [[nodiscard]] bool is_file() const { return scheme == "sqlite"; }
  /// Without the password; without the user name too unless `with_username`.
  [[nodiscard]] std::string without_password(bool with_username) const;
  /// Equal for two spellings of one database.
  [[nodiscard]] std::string identity() const;
};

/// The parts of `text`; on failure what is wrong with it, for a user.
[[nodiscard]] tl::expected<Url, std::string> parse_url(UrlKind kind, std::string_view text);

/// What is wrong with a `host:port` to listen on; empty when nothing is.
[[nodiscard]] std::string wrong_with_listen_address(std::string_view text);

}  // namespace tributary::config

#include "config/url.h"

#include <algorithm>
#include <optional>

#include "base/percent.h"

namespace tributary::config {
namespace {

struct Scheme {
  UrlKind kind;
  std::string_view name;
};
constexpr Scheme kSchemes[] = {
    {UrlKind::kBroker, "amqp"},         {UrlKind::kBroker, "amqps"},
    {UrlKind::kReplica, "redis"},       {UrlKind::kReplica, "unix"},
    {UrlKind::kDatabase, "postgresql"}, {UrlKind::kDatabase, "postgres"},
    {UrlKind::kDatabase, "sqlite"},
};

constexpr std::string_view kEncode =
    "percent-encode what is special in a user, a password or a name (%2F for /, %3F for ?, %23 for "
    "#, %40 for @, %25 for %), or give the password by password_env or password_file";

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

std::string in_small_letters(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// Takes a URL apart behind its scheme; the first fault ends it.
class Parser {
 public:
  explicit Parser(Url& url) : url_(url) {}

  /// Empty when all is well.
  std::string run(std::string_view text) {
    const auto bad = [this](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || (c == ' ' && !url_.is_file());
    };
    if (std::any_of(text.begin(), text.end(), bad)) {
      fault("the URL holds a blank or a control character");
    }
    if (text.find('#') != std::string_view::npos) fault("the URL holds a #");
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    split_behind_host(text.substr(end));
    split_authority(text.substr(0, end));
    return wrong_;
  }

 private:
  void fault(const std::string& what) {
    if (wrong_.empty()) wrong_ = what + ": " + std::string(kEncode);
  }

  std::string decoded(std::string_view text) {
    auto out = percent_decoded(text);
    if (!out) fault("a % needs two hexadecimal digits behind it, other than 00");
    return out.value_or("");
  }

  void split_authority(std::string_view text) {
    const std::size_t at = text.find('@');
    if (at != text.rfind('@')) fault("there are several @ before the host");
    if (at != std::string_view::npos) {
      const std::string_view user = text.substr(0, at);
      const std::size_t colon = user.find(':');
      url_.username = decoded(user.substr(0, colon));
      if (colon != std::string_view::npos) url_.password = decoded(user.substr(colon + 1));
      text.remove_prefix(at + 1);
    }
    if (text.empty()) return;
    for (std::size_t comma = 0; comma != std::string_view::npos;) {
      comma = text.find(',');
      add_host(text.substr(0, comma));
      if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
    }
  }

  void add_host(std::string_view text) {
    Host host;
    std::size_t end = text.find(':');
    if (text.starts_with('[')) {
      const std::size_t close = text.find(']');
      if (close == std::string_view::npos) return fault("the ] of the IPv6 address is missing");
      host.name = decoded(text.substr(1, close - 1));
      end = close + 1;
      if (end < text.size() && text[end] != ':') fault("behind the ] only a port may follow");
    } else {
      host.name = decoded(text.substr(0, end));
    }
    if (end < text.size()) host.port = decoded(text.substr(end + 1));
    url_.hosts.push_back(std::move(host));
  }

  void split_behind_host(std::string_view text) {
    // Of a password with a / or ? in it, the rest and its @ end up here.
    if (!url_.is_file() && text.find('@') != std::string_view::npos) {
      fault("an @ stands behind the host");
    }
    const std::size_t mark = text.find('?');
    std::string_view path = text.substr(0, mark);
    if (!url_.is_file() && !path.empty()) path.remove_prefix(1);
    keep_path(path);
    if (mark != std::string_view::npos) split_query(text.substr(mark + 1));
  }

  void keep_path(std::string_view path) {
    const bool one_name = url_.scheme.starts_with("amqp") || url_.scheme == "redis";
    if (one_name && path.find('/') != std::string_view::npos) {
      fault("the name behind the host holds a /");
    }
    url_.path = decoded(path);
  }

  void split_query(std::string_view text) {
    if (url_.scheme != "postgresql" && url_.scheme != "unix") {
      url_.query.emplace_back("?", "");  // these take no parameters, whatever their spelling
      return;
    }
    while (!text.empty()) {
      const std::size_t next = text.find('&');
      const std::string_view pair = text.substr(0, next);
      const std::size_t equals = pair.find('=');
      if (equals == 0 || equals == std::string_view::npos || equals != pair.rfind('=')) {
        return fault("behind the ? only name=value may stand, separated by &");
      }
      url_.query.emplace_back(decoded(pair.substr(0, equals)), decoded(pair.substr(equals + 1)));
      if (next == std::string_view::npos) return;
      text.remove_prefix(next + 1);
    }
  }

  Url& url_;
  std::string wrong_;
};

std::string spelt(const Host& host) {
  const bool v6 = host.name.find(':') != std::string::npos;
  const std::string name = v6 ? "[" + host.name + "]" : percent_encoded(host.name);
  return host.port.empty() ? name : name + ":" + percent_encoded(host.port);
}

}  // namespace

std::string Url::without_password(bool with_username) const {
  std::string out = scheme + "://";
  if (with_username && !username.empty()) out += percent_encoded(username) + "@";
  for (std::size_t i = 0; i < hosts.size(); ++i) out += (i == 0 ? "" : ",") + spelt(hosts[i]);
  if (is_file()) out += percent_encoded(path, "/");
  else if (!path.empty()) out += "/" + percent_encoded(path);
  for (std::size_t i = 0; i < query.size(); ++i) {
    out += (i == 0 ? "?" : "&") + percent_encoded(query[i].first) + "=" +
           percent_encoded(query[i].second, "/,:");
  }
  // libpq wants a path before a query that follows no host.
  if (hosts.empty() && path.empty() && !query.empty()) out.insert(out.find('?'), "/");
  return out;
}

tl::expected<Url, std::string> parse_url(UrlKind kind, std::string_view text) {
  const std::size_t colon = text.find("://");
  Url url;
  if (colon != std::string_view::npos) url.scheme = in_small_letters(text.substr(0, colon));
  if (auto wrong = wrong_scheme(kind, url.scheme)) return tl::make_unexpected(std::move(*wrong));
  if (url.scheme == "postgres") url.scheme = "postgresql";
  std::string wrong = Parser(url).run(text.substr(colon + 3));
  if (!wrong.empty()) return tl::make_unexpected(std::move(wrong));
  return url;
}

}  // namespace tributary::config

#include "config/url_rules.h"

#include <algorithm>
#include <filesystem>

#include "config/host.h"

namespace tributary::config {
namespace {

constexpr std::string_view kWrongPort = "the port must be a number from 1 to 65535";
constexpr std::string_view kWrongHost =
    "the host must be a name, an IPv4 address or an [IPv6 address]";
constexpr int kMostDatabases = 1 << 20;

std::string wrong_with_host(const Host& host) {
  if (!is_host(host.name)) return std::string(kWrongHost);
  if (!host.port.empty() && !is_port(host.port)) return std::string(kWrongPort);
  return "";
}

std::string wrong_with_server(const Url& url) {
  if (url.hosts.size() > 1) return "the URL names several hosts; give one";
  if (url.hosts.empty() || url.hosts.front().name.empty()) return "the URL names no host";
  return wrong_with_host(url.hosts.front());
}

std::string wrong_with_broker(const Url& url) {
  if (std::string wrong = wrong_with_server(url); !wrong.empty()) return wrong;
  if (!url.query.empty()) {
    return "parameters behind a ? would be ignored; remove them (TLS files go under tls)";
  }
  if (url.path.size() > 255) return "the vhost has more than 255 bytes";
  return "";
}

std::string wrong_with_replica(const Url& url) {
  if (std::string wrong = wrong_with_server(url); !wrong.empty()) return wrong;
  if (!url.query.empty()) {
    return "parameters behind a ? would be ignored; remove them (the database number follows the "
           "host, as in /0)";
  }
  if (!url.path.empty() && !is_number(url.path, 0, kMostDatabases)) {
    return "what follows the host must be a database number, as in /0";
  }
  return "";
}

/// What is wrong with the path of a file; `form` shows how to write it.
std::string wrong_with_file(const Url& url, const std::string& form) {
  const bool absolute = url.hosts.empty() && url.path.size() > 1 && url.path.front() == '/';
  if (!absolute) return "give the file's absolute path, as in " + form;
  if (!std::filesystem::path(url.path).has_filename()) {
    return "the path is that of a folder; give a file's, as in " + form;
  }
  return "";
}

std::string wrong_with_socket(const Url& url) {
  std::string wrong = wrong_with_file(url, "unix:///run/redis/redis.sock?db=0");
  if (!wrong.empty() || url.query.empty()) return wrong;
  const bool database = url.query.size() == 1 && url.query.front().first == "db" &&
                        is_number(url.query.front().second, 0, kMostDatabases);
  return database ? "" : "behind the ? of a socket only a database number may stand, as in ?db=0";
}

std::string wrong_with_sqlite(const Url& url) {
  if (!url.username.empty() || !url.password.empty()) {
    return "SQLite has no users; remove what stands before the @";
  }
  std::string wrong = wrong_with_file(url, "sqlite:///var/lib/shop.db");
  if (!wrong.empty() || url.query.empty()) return wrong;
  return "parameters behind a ? are not supported; remove them (a ? in a file's name is %3F)";
}

std::string wrong_with_postgres(const Url& url) {
  for (const Host& host : url.hosts) {
    const bool local = host.name.empty() || host.name.front() == '/';  // a socket's folder
    if (!local && !is_host(host.name)) return std::string(kWrongHost);
    if (!host.port.empty() && !is_port(host.port)) return std::string(kWrongPort);
  }
  return wrong_with_libpq_query(url);
}

}  // namespace

std::string wrong_with(UrlKind kind, const Url& url) {
  if (kind == UrlKind::kBroker) return wrong_with_broker(url);
  if (kind == UrlKind::kReplica) {
    return url.is_file() ? wrong_with_socket(url) : wrong_with_replica(url);
  }
  return url.is_sqlite() ? wrong_with_sqlite(url) : wrong_with_postgres(url);
}

}  // namespace tributary::config

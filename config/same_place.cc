/// When two addresses lead to one place.
#include <algorithm>
#include <filesystem>

#include "config/host.h"
#include "config/lists.h"
#include "config/url_rules.h"

namespace tributary::config {
namespace {

/// With links followed, as far as the path exists here.
std::string same_file(const std::string& path) {
  std::error_code failed;
  const auto real = std::filesystem::weakly_canonical(path, failed);
  return (failed ? std::filesystem::path(path).lexically_normal() : real).string();
}

/// To connect to any address is to connect to this machine.
std::string same_machine(const std::string& host) {
  const std::string name = same_host(host);
  return name == "0.0.0.0" || name == "::" ? "localhost" : name;
}

/// A socket in one of the usual folders is that of the server on this machine.
std::string same_server(const std::string& host) {
  if (host.empty()) return "localhost";
  if (host.front() != '/') return same_machine(host);
  const std::string folder = same_file(host);
  const bool usual =
      folder == "/tmp" || folder == "/run/postgresql" || folder == "/var/run/postgresql";
  return usual ? "localhost" : folder;
}

std::vector<std::string> postgres_places(const Url& url) {
  std::vector<std::string> hosts;
  std::vector<std::string> ports;
  std::string user = url.username;
  std::string database = url.path;
  for (const Host& host : url.hosts) {
    hosts.push_back(host.name);
    ports.push_back(host.port);
  }
  for (const auto& [name, value] : url.query) {
    if (name == "host" && hosts.empty()) hosts = split(value);
    if (name == "port") ports = split(value);
    if (name == "user") user = value;
    if (name == "dbname") database = value;
  }
  for (const auto& [name, value] : url.query) {
    if (name == "hostaddr") hosts = split(value);
    // Where a service file leads to is not known here.
    if (name == "service") return {"service " + value + " " + database};
  }
  if (hosts.empty()) hosts.emplace_back();
  std::vector<std::string> places;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::string port = ports.empty() ? "" : ports[std::min(i, ports.size() - 1)];
    places.push_back("postgresql " + same_server(hosts[i]) + " " + (port.empty() ? "5432" : port) +
                     " " + (database.empty() ? user : database));
  }
  return places;
}

std::string number_of(const std::string& text) {
  return text.empty() ? "0" : std::to_string(std::stoi(text));
}

}  // namespace

std::vector<std::string> places_of(const Url& url) {
  if (url.is_sqlite()) return {"sqlite " + same_file(url.path)};
  if (url.scheme == "unix") {
    const std::string database = url.query.empty() ? "" : url.query.front().second;
    return {"redis " + same_file(url.path) + " " + number_of(database)};
  }
  if (url.scheme == "postgresql") return postgres_places(url);
  const Host& host = url.hosts.front();
  return {"redis " + same_machine(host.name) + " " + (host.port.empty() ? "6379" : host.port) +
          " " + number_of(url.path)};
}

}  // namespace tributary::config

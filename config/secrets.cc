/// Passwords, from files and environment variables.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "config/topology.h"

namespace tributary::config {
namespace {

/// The key at fault and why; nullopt when all is well.
struct Failure {
  std::string key;
  std::string what;
};

std::optional<Failure> read_environment(Credentials& credentials) {
  const char* value = std::getenv(credentials.password_env.c_str());
  if (value == nullptr || *value == '\0') {
    return Failure{"password_env", "environment variable " + credentials.password_env +
                                       (value == nullptr ? " is not set" : " is empty")};
  }
  credentials.password = value;
  return std::nullopt;
}

std::optional<Failure> read_file(Credentials& credentials) {
  const auto failure = [&](const std::string& why) {
    return Failure{"password_file", "file " + credentials.password_file + " " + why};
  };
  errno = 0;
  std::ifstream file(credentials.password_file);
  std::string line;
  if (!file || !std::getline(file, line)) {
    return failure(errno == 0 ? "is empty"
                              : std::string("cannot be read: ") + std::strerror(errno));
  }
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return failure("has an empty first line; the password stands there");
  if (line.find('\0') != std::string::npos) return failure("has a NUL byte in its first line");
  credentials.password = std::move(line);
  return std::nullopt;
}

std::optional<Failure> resolve(Credentials& credentials) {
  if (!credentials.password_env.empty()) return read_environment(credentials);
  if (!credentials.password_file.empty()) return read_file(credentials);
  return std::nullopt;
}

}  // namespace

std::vector<Mistake> resolve_secrets(Topology& topology) {
  std::vector<Mistake> mistakes;
  const auto add = [&](Credentials& credentials, const std::string& place) {
    if (auto failure = resolve(credentials)) {
      credentials.problem = place + "." + failure->key + ": " + failure->what;
      mistakes.push_back({.line = credentials.line,
                          .key = place + "." + failure->key,
                          .what = std::move(failure->what)});
    }
  };
  for (Region& region : topology.regions) {
    add(region.broker.credentials, "regions." + region.name.value + ".broker");
    add(region.replica.credentials, "regions." + region.name.value + ".replica");
  }
  for (Origin& origin : topology.origins) add(origin.credentials, "origins." + origin.name.value);
  return mistakes;
}

std::string password_now(const Credentials& credentials) {
  Credentials now = credentials;
  static_cast<void>(resolve(now));  // a file that is just being written is read the next time
  return now.password;
}

}  // namespace tributary::config

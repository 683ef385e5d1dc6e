#include <cstdlib>
#include <fstream>
#include <sstream>

#include <tributary/config/topology.h>

namespace tributary::config {
namespace {

/// Fills in a password; nullopt when all is well.
std::optional<std::string> resolve(Credentials& credentials) {
  if (!credentials.password_env.empty()) {
    const char* value = std::getenv(credentials.password_env.c_str());
    if (value == nullptr) {
      return "environment variable " + credentials.password_env + " is not set";
    }
    credentials.password = value;
  } else if (!credentials.password_file.empty()) {
    std::ifstream file(credentials.password_file);
    if (!file) return "cannot read file " + credentials.password_file;
    std::getline(file, credentials.password);
  }
  return std::nullopt;
}

}  // namespace

const Region* Topology::region(const RegionName& name) const {
  for (const Region& each : regions) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

const Origin* Topology::origin(const OriginName& name) const {
  for (const Origin& each : origins) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

Loaded load_topology(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return {{}, {{0, "", "cannot be read; give the topology's path with -c"}}};
  }
  std::ostringstream text;
  text << file.rdbuf();
  return parse_topology(text.str());
}

std::vector<Mistake> resolve_secrets(Topology& topology) {
  std::vector<Mistake> mistakes;
  const auto add = [&](Credentials& credentials, const std::string& key) {
    if (auto what = resolve(credentials)) mistakes.push_back({0, key, std::move(*what)});
  };
  for (Region& region : topology.regions) {
    add(region.broker.credentials, "regions." + region.name.value + ".broker");
    add(region.replica.credentials, "regions." + region.name.value + ".replica");
  }
  for (Origin& origin : topology.origins) add(origin.credentials, "origins." + origin.name.value);
  return mistakes;
}

std::string to_string(const std::string& file, const Mistake& mistake) {
  std::string out = file;
  if (mistake.line > 0) out += ":" + std::to_string(mistake.line);
  if (!mistake.key.empty()) out += ": " + mistake.key;
  return out + ": " + mistake.what;
}

const std::string& broker_url(const Region& owner, const RegionName& viewer) {
  const auto from = owner.broker.url_from.find(viewer.value);
  return from == owner.broker.url_from.end() ? owner.broker.url : from->second;
}

}  // namespace tributary::config

#include "config/topology.h"

namespace tributary::config {

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

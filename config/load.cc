/// Reading the topology file itself.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "config/topology.h"

namespace tributary::config {
namespace {

/// Relative file names count from the topology's directory, wherever a process was started.
void anchor(std::string& file, const std::filesystem::path& directory) {
  if (!file.empty()) file = (directory / file).lexically_normal().string();
}

void anchor_files(Topology& topology, const std::filesystem::path& directory) {
  for (Region& region : topology.regions) {
    anchor(region.broker.credentials.password_file, directory);
    anchor(region.replica.credentials.password_file, directory);
    anchor(region.broker.tls.ca_file, directory);
    anchor(region.broker.tls.cert_file, directory);
    anchor(region.broker.tls.key_file, directory);
  }
  for (NamedFile& file : topology.files) anchor(file.path, directory);
  for (Origin& origin : topology.origins) anchor(origin.credentials.password_file, directory);
}

LoadedTopology unreadable(const std::string& why) {
  return {{}, {{.key = "", .what = "cannot be read (" + why + "); name the topology with -c"}}, {}};
}

}  // namespace

LoadedTopology load_topology(const std::string& path) {
  std::error_code ignored;  // a path that cannot be looked at fails to open just below
  if (std::filesystem::is_directory(path, ignored)) return unreadable("it is a directory");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(std::strerror(errno));
  std::ostringstream text;
  text << file.rdbuf();
  return load_topology(path, text.str());
}

LoadedTopology load_topology(const std::string& path, const std::string& yaml) {
  std::error_code ignored;  // the path as it stands is as good as any then
  LoadedTopology loaded = parse_topology(yaml);
  const auto absolute = std::filesystem::absolute(path, ignored);
  anchor_files(loaded.topology, absolute.parent_path());
  return loaded;
}

}  // namespace tributary::config

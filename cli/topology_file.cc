#include <fstream>
#include <sstream>
#include <utility>

#include <tributary/base/log.h>
#include <tributary/cli/topology_file.h>

namespace tributary::cli {
namespace {

std::optional<std::string> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return std::nullopt;
  return text.str();
}

}  // namespace

TopologyFile::TopologyFile(std::string path)
    : path_(std::move(path)), taken_(contents(path_)), seen_(taken_) {}

std::optional<config::Topology> TopologyFile::look() {
  auto now = contents(path_);
  if (!now) {
    if (!std::exchange(missing_told_, true)) {
      log::warn("the topology cannot be read; going on with what it said", {{"file", path_}});
    }
    return std::nullopt;
  }
  missing_told_ = false;
  const bool stands = now == seen_;
  seen_ = std::move(now);
  if (!stands || seen_ == taken_ || seen_ == refused_) return std::nullopt;
  return take();
}

std::optional<config::Topology> TopologyFile::take() {
  config::Loaded loaded = config::load_topology(path_);
  static_cast<void>(config::resolve_secrets(loaded.topology));  // told when they are needed
  if (loaded.mistakes.empty()) {
    taken_ = seen_;
    refused_.reset();
    return std::move(loaded.topology);
  }
  refused_ = seen_;
  for (const config::Mistake& mistake : loaded.mistakes) {
    log::error("the topology has changed and has a mistake; going on with what it said before",
               {{"mistake", config::to_string(path_, mistake)}});
  }
  return std::nullopt;
}

}  // namespace tributary::cli

#include "cli/topology_file.h"

#include <fstream>
#include <sstream>
#include <utility>

#include "base/log.h"

namespace tributary::cli {
namespace {

/// nullopt: it cannot be read.
std::optional<std::string> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file) return std::nullopt;
  text << file.rdbuf();
  if (file.bad()) return std::nullopt;
  return text.str();
}

}  // namespace

TopologyFile::TopologyFile(std::string path)
    : path_(std::move(path)), taken_(contents(path_)), seen_(taken_) {}

std::optional<config::Topology> TopologyFile::look() {
  const std::optional<std::string> before = seen_;
  if (!read() || seen_ != before) return std::nullopt;
  return take();
}

std::optional<config::Topology> TopologyFile::look_at_once() {
  if (!read()) return std::nullopt;
  return take();
}

bool TopologyFile::read() {
  auto now = contents(path_);
  if (!now) {
    // An editor may take it away for a moment: told when it is gone for two looks.
    if (!seen_ && !std::exchange(missing_told_, true)) {
      log::error("the topology cannot be read; going on with what it said", {{"file", path_}});
    }
    seen_.reset();
    return false;
  }
  missing_told_ = false;
  seen_ = std::move(now);
  return true;
}

std::optional<config::Topology> TopologyFile::take() {
  if (seen_ == taken_) {
    refused_.reset();
    return std::nullopt;
  }
  if (seen_ == refused_) return std::nullopt;
  config::LoadedTopology loaded = config::load_topology(path_, *seen_);
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

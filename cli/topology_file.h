/// The topology file under a running daemon: tells when it says something else. Not for: what a
/// daemon does then (see daemon.h).
#pragma once

#include <optional>
#include <string>

#include "config/topology.h"

namespace tributary::cli {

/// Not thread-safe.
class TopologyFile {
 public:
  /// Takes what stands there now as known; so load it afterwards.
  explicit TopologyFile(std::string path);

  /// The topology, with its secrets, once the file has other contents than those taken last, is the
  /// same in two looks (nobody is writing it just now), and has no mistakes. Mistakes are logged,
  /// once, and what was taken last stays.
  [[nodiscard]] std::optional<config::Topology> look();
  /// The same in one look: somebody says that it is written.
  [[nodiscard]] std::optional<config::Topology> look_at_once();
  /// What stood there at the last look has mistakes, or could not be read.
  [[nodiscard]] bool refused() const { return refused_.has_value() || missing_told_; }

 private:
  [[nodiscard]] bool read();
  [[nodiscard]] std::optional<config::Topology> take();

  std::string path_;
  std::optional<std::string> taken_;
  std::optional<std::string> seen_;     ///< at the last look
  std::optional<std::string> refused_;  ///< the last contents with mistakes
  bool missing_told_ = false;
};

}  // namespace tributary::cli

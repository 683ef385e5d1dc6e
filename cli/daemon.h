/// What a daemon needs around its loops: logging, signals, a metrics port.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include <tributary/base/metrics.h>
#include <tributary/base/result.h>
#include <tributary/config/topology.h>

namespace tributary::cli {

/// A daemon as one topology wants it. The loop owns all it needs, and ends when asked to.
struct Daemon {
  std::string metrics;  ///< where to serve metrics; empty: nowhere
  std::function<Result<void>(Metrics& metrics, std::stop_token stop)> loop;
};
/// kInvalid: this topology has nothing for this daemon.
using PrepareDaemon = std::function<Result<Daemon>(const config::Topology& topology)>;

/// Loads the topology, turns logging on as it says (from here on every line is a log line), and
/// runs the daemon until a signal asks it to stop. Gives the exit code: 0 after a signal. On
/// mistakes in the topology prints all of them and exits with kUsage.
///
/// The file is read again every second: when it has changed, the loop is stopped in good order and
/// started anew as the new topology says, metrics too. One with mistakes, or with nothing for this
/// daemon, is logged once, tributary_topology_refused is 1, and the one before stays. SIGHUP: the
/// file is read at once.
/// SIGTERM, SIGINT and SIGQUIT stop in good order; SIGUSR1 and SIGUSR2 change nothing.
int run_daemon(const std::string& process, const std::string& path, const PrepareDaemon& prepare);

}  // namespace tributary::cli

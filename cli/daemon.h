/// What a daemon needs around its loops: logging, signals, a metrics port.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include <tributary/base/result.h>

#include "base/crew.h"
#include "base/metrics.h"
#include "config/topology.h"

namespace tributary::cli {

/// A daemon as one topology wants it.
struct Daemon {
  std::string metrics;  ///< where to serve metrics; empty: nowhere
  Millis drain;         ///< how long its threads may go on after a signal, as long as they get on
  /// Starts threads that own all they need, and end when asked to.
  std::function<Crew(std::shared_ptr<Metrics> metrics, std::stop_token stop)> start;
};
/// kInvalid: this topology has nothing for this daemon.
using PrepareDaemon = std::function<Result<Daemon>(const config::Topology& topology)>;

/// Loads the topology, turns logging on as it says (from here on every line is a log line), and
/// runs the daemon until a signal asks it to stop. Gives the exit code: 0 after a signal. On
/// mistakes in the topology prints all of them and exits with kUsage.
///
/// The file is read again every second: when it has changed, the threads are stopped in good order
/// and started anew as the new topology says, metrics too. One with mistakes, or with nothing for
/// this daemon, is logged once, tributary_topology_refused is 1, and the one before stays. SIGHUP:
/// the file is read at once.
/// SIGTERM, SIGINT and SIGQUIT stop in good order; SIGUSR1 and SIGUSR2 change nothing.
///
/// A thread that waits for a server that hangs is left behind: the others start anew half a second
/// after they were stopped, and the process ends when nothing got on for some seconds. What such a
/// thread may still do, two relays or two consumers beside each other may do as well.
int run_daemon(const std::string& process, const std::string& path, const PrepareDaemon& prepare);

}  // namespace tributary::cli

/// What a daemon needs around its loops: logging, signals, a metrics port.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include <tributary/base/metrics.h>
#include <tributary/base/result.h>
#include <tributary/config/topology.h>

namespace tributary::cli {

/// Loads the topology and turns logging on as it says; from here on every line is a log line.
/// On mistakes prints all of them and exits with kUsage.
[[nodiscard]] config::Topology load_daemon(const std::string& process, const std::string& path);

/// Logs why a daemon cannot start and gives the exit code.
int refuse_to_start(const Error& error);

/// Runs `loop` until it returns or a signal asks it to stop, serving `metrics` on
/// `metrics_address` (empty: nowhere). Gives the exit code: 0 after a signal.
///
/// SIGTERM, SIGINT and SIGQUIT stop in good order; SIGHUP, SIGUSR1 and SIGUSR2 are logged and
/// change nothing.
int run_daemon(const std::string& metrics_address,
               const std::function<Result<void>(Metrics& metrics, std::stop_token stop)>& loop);

}  // namespace tributary::cli

/// What a daemon needs around its loops: logging, signals, a metrics port.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include <tributary/base/metrics.h>
#include <tributary/base/result.h>
#include <tributary/config/topology.h>

namespace tributary::cli {

/// Runs `loop` until it returns or SIGTERM or SIGINT asks it to stop, serving `metrics` on
/// `metrics_address` (empty: nowhere). Gives the exit code: 0 after a signal.
int run_daemon(const std::string& process, const config::Topology& topology,
               const std::string& metrics_address,
               const std::function<Result<void>(Metrics& metrics, std::stop_token stop)>& loop);

}  // namespace tributary::cli

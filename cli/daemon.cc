#include <csignal>
#include <exception>
#include <memory>
#include <thread>

#include <prometheus/exposer.h>
#include <prometheus/registry.h>

#include <tributary/base/log.h>
#include <tributary/cli/command.h>
#include <tributary/cli/daemon.h>

namespace tributary::cli {
namespace {

void configure_logging(const std::string& process, const config::Logging& logging) {
  log::Level level = log::Level::kInfo;
  if (logging.level == "debug") level = log::Level::kDebug;
  if (logging.level == "warn") level = log::Level::kWarn;
  if (logging.level == "error") level = log::Level::kError;
  log::configure(process, level,
                 logging.format == "json" ? log::Format::kJson : log::Format::kText);
}

/// Blocks the signals in this and all later threads, so that one thread can wait for them.
sigset_t block_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a broken connection is an error value, not a death
  return signals;
}

void wait_for_signal(const sigset_t& signals, std::stop_source& stop) {
  const timespec poll{0, 100'000'000};
  while (!stop.stop_requested()) {
    const int signal = sigtimedwait(&signals, nullptr, &poll);
    if (signal <= 0) continue;
    log::info("stopping", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
    stop.request_stop();
  }
}

std::unique_ptr<prometheus::Exposer> serve(const std::string& address, Metrics& metrics) {
  if (address.empty()) return nullptr;
  auto exposer = std::make_unique<prometheus::Exposer>(address, 1);
  exposer->RegisterCollectable(metrics.registry());
  log::info("serving metrics", {{"address", address}});
  return exposer;
}

}  // namespace

int run_daemon(const std::string& process, const config::Topology& topology,
               const std::string& metrics_address,
               const std::function<Result<void>(Metrics& metrics, std::stop_token stop)>& loop) {
  configure_logging(process, topology.logging);
  const sigset_t signals = block_stop_signals();
  Metrics metrics;
  std::unique_ptr<prometheus::Exposer> exposer;
  try {
    exposer = serve(metrics_address, metrics);
  } catch (const std::exception& error) {
    log::error("cannot serve metrics; choose another address under metrics in the topology",
               {{"address", metrics_address}, {"reason", error.what()}});
    return kUsage;
  }
  std::stop_source stop;
  std::jthread waiter([&] { wait_for_signal(signals, stop); });
  const auto done = loop(metrics, stop.get_token());
  const bool asked = stop.stop_requested();
  stop.request_stop();
  if (done) {
    log::info("stopped");
    return kOk;
  }
  log::error(asked ? "failed while stopping" : "cannot go on", {{"reason", done.error().message}});
  return report(done.error());
}

}  // namespace tributary::cli

#include <array>
#include <csignal>
#include <thread>

#include <tributary/base/log.h>
#include <tributary/cli/command.h>
#include <tributary/cli/daemon.h>
#include <tributary/cli/metrics_port.h>

namespace tributary::cli {
namespace {

struct Signal {
  int number;
  const char* name;
  bool stops;
};
// Those that people send by hand; left alone, each would end the process without a drain.
constexpr std::array kSignals{
    Signal{SIGTERM, "SIGTERM", true},  Signal{SIGINT, "SIGINT", true},
    Signal{SIGQUIT, "SIGQUIT", true},  Signal{SIGHUP, "SIGHUP", false},
    Signal{SIGUSR1, "SIGUSR1", false}, Signal{SIGUSR2, "SIGUSR2", false},
};

/// Blocks the signals in this and all later threads, so that one thread can wait for them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const Signal& each : kSignals) sigaddset(&signals, each.number);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a broken connection is an error value, not a death
  return signals;
}

void obey(int number, std::stop_source& stop) {
  for (const Signal& each : kSignals) {
    if (each.number != number) continue;
    if (each.stops) {
      log::info("stopping", {{"signal", each.name}});
      stop.request_stop();
    } else {
      log::info("this signal changes nothing; restart to read the topology again",
                {{"signal", each.name}});
    }
  }
}

void wait_for_signals(const sigset_t& signals, std::stop_source& stop) {
  const timespec poll{0, 100'000'000};
  while (!stop.stop_requested()) obey(sigtimedwait(&signals, nullptr, &poll), stop);
}

}  // namespace

config::Topology load_daemon(const std::string& process, const std::string& path) {
  config::Topology topology = load_or_exit(path);
  log::Level level = log::Level::kInfo;
  if (topology.logging.level == "debug") level = log::Level::kDebug;
  if (topology.logging.level == "warn") level = log::Level::kWarn;
  if (topology.logging.level == "error") level = log::Level::kError;
  log::configure(process, level,
                 topology.logging.format == "json" ? log::Format::kJson : log::Format::kText);
  return topology;
}

int refuse_to_start(const Error& error) {
  log::error("cannot start", {{"reason", error.message}});
  return exit_code(error.kind);
}

int run_daemon(const std::string& metrics_address,
               const std::function<Result<void>(Metrics& metrics, std::stop_token stop)>& loop) {
  const sigset_t signals = block_signals();
  Metrics metrics;
  const MetricsPort port(metrics_address, metrics);
  std::stop_source stop;
  std::jthread waiter([&] { wait_for_signals(signals, stop); });
  const auto done = loop(metrics, stop.get_token());
  const bool asked = stop.stop_requested();
  stop.request_stop();
  if (done) {
    log::info("stopped");
    return kOk;
  }
  log::error(asked ? "failed while stopping" : "cannot go on", {{"reason", done.error().message}});
  return exit_code(done.error().kind);
}

}  // namespace tributary::cli

#include <array>
#include <csignal>
#include <optional>
#include <thread>
#include <utility>

#include <tributary/base/clock.h>
#include <tributary/base/log.h>
#include <tributary/cli/command.h>
#include <tributary/cli/daemon.h>
#include <tributary/cli/metrics_port.h>
#include <tributary/cli/topology_file.h>

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

/// True when it asks the daemon to end.
bool stops(int number) {
  for (const Signal& each : kSignals) {
    if (each.number != number) continue;
    const char* const what = each.stops         ? "stopping"
                             : number == SIGHUP ? "looking at the topology"
                                                : "this signal changes nothing";
    log::info(what, {{"signal", each.name}});
    return each.stops;
  }
  return false;
}

void configure_logging(const std::string& process, const config::Logging& logging) {
  log::Level level = log::Level::kInfo;
  if (logging.level == "debug") level = log::Level::kDebug;
  if (logging.level == "warn") level = log::Level::kWarn;
  if (logging.level == "error") level = log::Level::kError;
  log::configure(process, level,
                 logging.format == "json" ? log::Format::kJson : log::Format::kText);
}

/// What a daemon is to become, and as which topology says it.
struct Next {
  config::Logging logging;
  Daemon daemon;
};

/// What may end a loop: a signal, and the file.
class Watch {
 public:
  Watch(const sigset_t& signals, TopologyFile& file, const PrepareDaemon& prepare)
      : signals_(signals), file_(file), prepare_(prepare) {}

  /// Until `round` is asked to stop, by us or by others.
  void run(std::stop_source& round) {
    constexpr Micros kInterval{1'000'000};
    const timespec poll{0, 100'000'000};
    Micros look_at = SystemClock().monotonic() + kInterval;
    while (!round.stop_requested()) {
      const int number = sigtimedwait(&signals_, nullptr, &poll);
      asked_ = stops(number);
      if (number == SIGHUP) look();  // and once more below: nobody is still writing it
      if (!asked_ && !next_ && (number == SIGHUP || SystemClock().monotonic() >= look_at)) {
        look();
        look_at = SystemClock().monotonic() + kInterval;
      }
      if (asked_ || next_) round.request_stop();
    }
  }

  [[nodiscard]] bool asked() const { return asked_; }
  [[nodiscard]] std::optional<Next> take_next() { return std::exchange(next_, std::nullopt); }

 private:
  void look() {
    auto topology = file_.look();
    if (!topology) return;
    auto daemon = prepare_(*topology);
    if (daemon) {
      log::info("the topology has changed; starting anew as it says now");
      next_ = Next{topology->logging, std::move(*daemon)};
      return;
    }
    log::error("the topology has changed and cannot be followed; going on with what it said before",
               {{"reason", daemon.error().message}});
  }

  const sigset_t& signals_;
  TopologyFile& file_;
  const PrepareDaemon& prepare_;
  bool asked_ = false;
  std::optional<Next> next_;
};

}  // namespace

int run_daemon(const std::string& process, const std::string& path, const PrepareDaemon& prepare) {
  TopologyFile file(path);
  const config::Topology topology = load_or_exit(path);
  configure_logging(process, topology.logging);
  auto daemon = prepare(topology);
  if (!daemon) {
    log::error("cannot start", {{"reason", daemon.error().message}});
    return exit_code(daemon.error().kind);
  }
  const sigset_t signals = block_signals();
  Watch watch(signals, file, prepare);
  while (true) {
    std::stop_source round;
    std::jthread watcher([&] { watch.run(round); });
    Metrics metrics;
    const MetricsPort port(daemon->metrics, metrics);
    const auto done = daemon->loop(metrics, round.get_token());
    const bool stopped = round.stop_requested();
    round.request_stop();
    watcher.join();
    auto next = watch.take_next();
    if (!done && next) {
      log::warn("not all was finished before starting anew", {{"reason", done.error().message}});
    } else if (!done) {
      log::error(stopped ? "failed while stopping" : "cannot go on",
                 {{"reason", done.error().message}});
      return exit_code(done.error().kind);
    }
    if (!next) break;
    configure_logging(process, next->logging);
    daemon = std::move(next->daemon);
  }
  log::info("stopped");
  return kOk;
}

}  // namespace tributary::cli

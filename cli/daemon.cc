#include "cli/daemon.h"

#include <array>
#include <csignal>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/metrics_port.h"
#include "cli/topology_file.h"

namespace tributary::cli {
namespace {

/// What is not over by then goes on beside what was started anew.
constexpr Millis kBeforeANewStart{500};
/// After a signal, a server that did nothing for us for so long is not waited for.
constexpr Millis kNothingGetsOn{3000};

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

/// What may end a round of the loop: a signal, and the file.
class Watch {
 public:
  Watch(const sigset_t& signals, TopologyFile& file, const PrepareDaemon& prepare)
      : signals_(signals), file_(file), prepare_(prepare) {}

  /// Until a signal asks for the end, there is something to go on with, or the crew has ended.
  void run(const Crew& crew, Gauge& refused) {
    constexpr Micros kInterval{1'000'000};
    const timespec poll{0, 100'000'000};
    Micros look_at = SystemClock().monotonic() + kInterval;
    while (!asked_ && !next_ && !crew.ended()) {
      const int number = sigtimedwait(&signals_, nullptr, &poll);
      asked_ = stops(number);
      const bool due = number == SIGHUP || SystemClock().monotonic() >= look_at;
      if (due && !asked_) {
        consider(number == SIGHUP ? file_.look_at_once() : file_.look());
        look_at = SystemClock().monotonic() + kInterval;
      }
      refused.set(unfit_ || file_.refused() ? 1 : 0);
    }
  }

  /// What to go on with; nullopt: the daemon ends.
  [[nodiscard]] std::optional<Next> take_next() { return std::exchange(next_, std::nullopt); }

 private:
  void consider(const std::optional<config::Topology>& topology) {
    if (!topology) return;
    auto daemon = prepare_(*topology);
    unfit_ = !daemon.has_value();
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
  bool unfit_ = false;  ///< what the file says is right, but not for this daemon
  std::optional<Next> next_;
};

/// The daemon under one topology, with its metrics, until `watch` ends it; what to go on with.
std::optional<Next> run_round(const Daemon& daemon, Watch& watch) {
  const auto metrics = std::make_shared<Metrics>();
  Gauge& refused = metrics->gauge("tributary_topology_refused",
                                  "1 while the topology file has changed and is not followed", {});
  const MetricsPort port(daemon.metrics, *metrics);
  std::stop_source round;
  const Crew crew = daemon.start(metrics, round.get_token());
  watch.run(crew, refused);
  round.request_stop();
  auto next = watch.take_next();
  if (next) crew.wait(kBeforeANewStart, kBeforeANewStart);
  else if (!crew.wait(kNothingGetsOn, daemon.drain + kNothingGetsOn)) {
    log::warn("a server does not answer; ending without waiting for it");
  }
  return next;
}

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
  while (auto next = run_round(*daemon, watch)) {
    configure_logging(process, next->logging);
    daemon = std::move(next->daemon);
  }
  log::info("stopped");
  return kOk;
}

}  // namespace tributary::cli

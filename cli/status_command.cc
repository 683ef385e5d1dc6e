/// `tributary status`: regions × origins.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/text.h"
#include "cli/command.h"
#include "cli/status.h"
#include "cli/status_text.h"

namespace tributary::cli {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr double kForever = 1e9;
/// For one look at all servers.
constexpr Millis kLook{10'000};
constexpr Millis kShortestLook{1000};  ///< when the time to wait is almost over
constexpr Millis kLongestLook{30'000};

struct Options {
  std::string config;
  bool json = false;
  std::optional<double> watch;
  std::optional<double> wait;
};

void show(const StatusReport& report, bool json) {
  if (json) std::printf("%s\n", to_json(report).c_str());
  else std::printf("%s", to_table(report).c_str());
  std::fflush(stdout);
}

int exit_of(const StatusReport& report) {
  if (report.converged()) return kOk;
  return report.all_reached ? kFailed : kUnreachable;
}

Millis look_within(Seconds wish) {
  const auto wished = std::chrono::duration_cast<Millis>(wish);
  return std::clamp(wished, kShortestLook, kLongestLook);
}

int watch(StatusGatherer& gatherer, const Options& options) {
  while (true) {
    const StatusReport report = gatherer.gather(look_within(Seconds(*options.watch)));
    if (!options.json) std::printf("\x1b[H\x1b[2J");
    show(report, options.json);
    std::this_thread::sleep_for(Seconds(*options.watch));
  }
}

/// Says on stderr what a long wait waits for, whenever that changes.
class Patience {
 public:
  explicit Patience(Clock::time_point start) : next_(start + std::chrono::seconds(5)) {}
  void tell(const std::string& reason) {
    if (Clock::now() < next_ || reason == told_) return;
    std::fprintf(stderr, "waiting: %s\n", reason.c_str());
    told_ = reason;
    next_ = Clock::now() + std::chrono::seconds(5);
  }

 private:
  Clock::time_point next_;
  std::string told_;
};

int wait(StatusGatherer& gatherer, const Options& options) {
  constexpr Seconds kFirstPause{0.05};
  constexpr Seconds kLongestPause{1};
  const auto start = Clock::now();
  Patience patience(start);
  for (Seconds pause = kFirstPause;; pause = std::min(pause * 1.5, kLongestPause)) {
    const auto left = [&] { return Seconds(Seconds(*options.wait) - (Clock::now() - start)); };
    const StatusReport report = gatherer.gather(look_within(left()));
    if (report.converged() || left().count() <= 0) {
      show(report, options.json);
      return report.converged() ? kOk : kFailed;
    }
    patience.tell(report.reasons.front());
    std::this_thread::sleep_for(std::min(pause, left()));
  }
}

int run(const Options& options) {
  const config::Topology topology = load_or_exit(options.config);
  StatusGatherer gatherer(topology);
  if (options.watch) return watch(gatherer, options);
  if (options.wait) return wait(gatherer, options);
  const StatusReport report = gatherer.gather(kLook);
  show(report, options.json);
  return exit_of(report);
}

/// An option whose number of seconds may be left out.
CLI::Option* add_seconds(CLI::App& command, const char* name, std::optional<double>& to,
                         const char* absent, CLI::Range range, const char* about) {
  return command.add_option(name, to, about)
      ->expected(0, 1)
      ->default_str(absent)
      ->check(std::move(range))
      ->type_name("[SECONDS]");
}

}  // namespace

void add_status(CLI::App& app, Job& job) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "status",
      "Show lag of every region behind every origin, outbox depth, parked changes, and why not\n"
      "every region holds every change. Exit codes: 0 converged, 1 not converged, 3 a server was\n"
      "not reached.");
  add_config_option(*command, options->config);
  command->add_flag("--json", options->json,
                    "As JSON: \"converged\", and if it is false, \"reasons\"");
  CLI::Option* watching = add_seconds(*command, "--watch", options->watch, "1",
                                      CLI::Range(0.05, 86'400.0), "Repeat every so many seconds");
  CLI::Option* waiting =
      add_seconds(*command, "--wait", options->wait, "1e9", CLI::Range(0.0, kForever),
                  "Wait until converged, at most so many seconds; exit code 1 when they are over");
  waiting->excludes(watching);
  command->callback([options, &job] { job = [options] { return run(*options); }; });
}

}  // namespace tributary::cli

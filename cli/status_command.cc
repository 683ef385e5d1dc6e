/// `tributary status`: regions × origins.
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include <tributary/cli/command.h>
#include <tributary/cli/status.h>

namespace tributary::cli {
namespace {

struct Options {
  std::string config;
  bool json = false;
  double watch = 0;
};

int run(const Options& options) {
  const config::Topology topology = load_or_exit(options.config);
  StatusGatherer gatherer(topology);
  while (true) {
    const StatusReport report = gatherer.gather();
    if (options.watch > 0 && !options.json) std::printf("\x1b[H\x1b[2J");
    std::printf("%s%s", options.json ? to_json(report).c_str() : to_table(report).c_str(),
                options.json ? "\n" : "");
    std::fflush(stdout);
    if (options.watch <= 0) return report.all_reached ? kOk : kUnreachable;
    std::this_thread::sleep_for(std::chrono::duration<double>(options.watch));
  }
}

}  // namespace

void add_status(CLI::App& app, Job& job) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "status", "Show lag of every region behind every origin, outbox depth and parked changes");
  add_config_option(*command, options->config);
  command->add_flag("--json", options->json, "As JSON; \"converged\" tells whether anything waits");
  command->add_option("--watch", options->watch, "Repeat every so many seconds (default 1)")
      ->expected(0, 1)
      ->default_str("1")
      ->type_name("SECONDS");
  command->callback([options, command, &job] {
    if (command->count("--watch") > 0 && options->watch <= 0) options->watch = 1;
    job = [options] { return run(*options); };
  });
}

}  // namespace tributary::cli

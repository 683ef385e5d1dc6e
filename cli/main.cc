/// The `tributary` program. One file per subcommand; this one only dispatches.
#include <algorithm>
#include <cstdio>
#include <exception>

#include "base/crew.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "config/listen_address.h"

namespace tributary::cli {

void add_config_option(CLI::App& command, std::string& path) {
  command.add_option("-c,--config", path, "Topology file")
      ->envname("TRIBUTARY_TOPOLOGY")
      ->type_name("FILE")
      ->required();
}

config::Topology load_or_exit(const std::string& path, Secrets secrets) {
  config::LoadedTopology loaded = config::load_topology(path);
  std::vector<config::Mistake> mistakes = std::move(loaded.mistakes);
  const auto missing = config::resolve_secrets(loaded.topology);
  if (secrets == Secrets::kAll) {
    const auto files = config::check_files(loaded.topology);
    mistakes.insert(mistakes.end(), missing.begin(), missing.end());
    mistakes.insert(mistakes.end(), files.begin(), files.end());
    std::ranges::stable_sort(mistakes, {}, &config::Mistake::line);
  }
  for (const config::Mistake& mistake : mistakes) {
    std::fprintf(stderr, "%s\n", printable(config::to_string(path, mistake)).c_str());
  }
  if (!mistakes.empty()) std::exit(kUsage);
  return std::move(loaded.topology);
}

void add_metrics_option(CLI::App& command, std::string& address) {
  command
      .add_option("--metrics", address,
                  "Serve Prometheus metrics there; default: the topology's metrics section")
      ->type_name("HOST:PORT")
      ->check(CLI::Validator(
          [](const std::string& text) { return config::wrong_with_listen_address(text); }, ""));
}

int exit_code(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kTransient: return kUnreachable;
    case ErrorKind::kInvalid: return kUsage;
    default: return kFailed;
  }
}

int report(const Error& error) {
  std::fprintf(stderr, "tributary: %s\n", printable(error.message).c_str());
  return exit_code(error.kind);
}

}  // namespace tributary::cli

int main(int argc, char** argv) {
  using namespace tributary;
  using namespace tributary::cli;
  log::configure("tributary", log::Level::kWarn, log::Format::kText);  // until a daemon says how
  CLI::App app(
      "Tributary: eventually consistent replication from your database's outbox to Redis in every "
      "region.\nExit codes: 0 done, 1 failed or in part, 2 wrong arguments or topology, "
      "3 a server cannot be reached.\nStart with a topology file: docs/topology.md, "
      "config/samples.",
      "tributary");
  app.require_subcommand(1);
  app.set_version_flag("--version", TRIBUTARY_VERSION);
  Job job;
  add_relay(app, job);
  add_consumer(app, job);
  add_topology(app, job);
  add_outbox(app, job);
  add_write(app, job);
  add_read(app, job);
  add_status(app, job);
  add_parked(app, job);
  add_completion(app, job);
  try {
    app.parse(argc, argv);
    return end_process(job ? job() : kOk);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tributary: %s\n", printable(error.what()).c_str());
    return kFailed;
  }
}

/// The `tributary` program. One file per subcommand; this one only dispatches.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

#include "base/crew.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "config/listen_address.h"

namespace tributary::cli {
namespace {

constexpr const char* kTopologyHere = "topology.yaml";

/// What stands in the place of a command and is none; empty: nothing does, or an option stands
/// before it, whose value it may be.
std::string unknown_command(const CLI::App& app, std::span<char* const> arguments) {
  const CLI::App* within = &app;
  for (const std::string argument : arguments) {
    if (argument.starts_with('-')) return {};
    const auto commands = within->get_subcommands([](const CLI::App*) { return true; });
    const auto named = std::ranges::find_if(
        commands, [&](const CLI::App* each) { return each->check_name(argument); });
    if (named != commands.end()) within = *named;
    else return commands.empty() ? "" : argument;
  }
  return {};
}

int report_usage(const CLI::App& app, const CLI::ParseError& error,
                 std::span<char* const> arguments) {
  const std::string unknown = unknown_command(app, arguments);
  if (error.get_exit_code() == 0 || unknown.empty()) return app.exit(error) == 0 ? kOk : kUsage;
  std::fprintf(stderr,
               "tributary: there is no command \"%s\"; run with --help for those there are\n",
               printable(unknown).c_str());
  return kUsage;
}

}  // namespace

void add_config_option(CLI::App& command, std::string& path) {
  std::error_code cannot_tell;
  if (std::filesystem::exists(kTopologyHere, cannot_tell)) path = kTopologyHere;
  command
      .add_option("-c,--config", path, "Topology file; without it, topology.yaml in this folder")
      ->envname("TRIBUTARY_TOPOLOGY")
      ->type_name("FILE");
}

config::Topology load_or_exit(const std::string& path, Secrets secrets) {
  if (path.empty()) {
    std::fprintf(stderr,
                 "tributary: which topology? Name its file with -c or in TRIBUTARY_TOPOLOGY, or go "
                 "to the folder of topology.yaml\n");
    std::exit(kUsage);
  }
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
    return report_usage(app, error, std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tributary: %s\n", printable(error.what()).c_str());
    return kFailed;
  }
}

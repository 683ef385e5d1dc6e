/// What the subcommands share: how they are added, their exit codes, and loading the topology.
#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include <tributary/base/result.h>

#include "config/topology.h"

namespace tributary::cli {

/// Exit codes of every subcommand.
enum Exit : int {
  kOk = 0,
  kFailed = 1,       ///< the job was done in part, or its answer is "no"
  kUsage = 2,        ///< wrong arguments or a topology with mistakes
  kUnreachable = 3,  ///< a server could not be reached
};

/// Set by the subcommand that was chosen; main runs it after parsing.
using Job = std::function<int()>;

void add_relay(CLI::App& app, Job& job);
void add_consumer(CLI::App& app, Job& job);
void add_topology(CLI::App& app, Job& job);
void add_outbox(CLI::App& app, Job& job);
void add_write(CLI::App& app, Job& job);
void add_read(CLI::App& app, Job& job);
void add_status(CLI::App& app, Job& job);
void add_parked(CLI::App& app, Job& job);
void add_completion(CLI::App& app, Job& job);

/// Adds -c/--config (or the environment variable TRIBUTARY_TOPOLOGY, or topology.yaml where one
/// is).
void add_config_option(CLI::App& command, std::string& path);

/// Adds --metrics, a daemon's own address for them.
void add_metrics_option(CLI::App& command, std::string& address);

/// Which passwords, certificates and keys must be there: all of them, or those of the servers that
/// are then connected to.
enum class Secrets { kAll, kAsNeeded };

/// Loads the topology with its secrets. On mistakes prints all of them and exits with kUsage.
[[nodiscard]] config::Topology load_or_exit(const std::string& path,
                                            Secrets secrets = Secrets::kAsNeeded);

[[nodiscard]] int exit_code(ErrorKind kind);

/// Prints "tributary: message" on stderr, in one line, and gives the exit code for the error's
/// kind.
int report(const Error& error);

}  // namespace tributary::cli

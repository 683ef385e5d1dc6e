/// `tributary relay`: seals and publishes the outboxes of some origins.
#include <map>
#include <memory>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/wiring.h"
#include "relay/relay_runner.h"

namespace tributary::cli {
namespace {

struct Options {
  std::string config;
  std::vector<std::string> origins;
  std::string metrics;
};

RelaySettings settings_of(const config::Topology& topology, const config::Origin& origin) {
  const config::Relay& from = topology.relay;
  RelaySettings to;
  for (const config::Origin& each : topology.origins) to.origins.push_back({each.name});
  to.batch_changes = static_cast<std::size_t>(from.batch_changes);
  to.batch_bytes = static_cast<std::size_t>(from.batch_bytes);
  to.unconfirmed_batches = static_cast<std::size_t>(from.unconfirmed_batches);
  to.unconfirmed_bytes = static_cast<std::size_t>(from.unconfirmed_bytes);
  to.unsaved_totals = static_cast<std::size_t>(from.unsaved_totals);
  to.confirm_interval = Millis{from.confirm_interval_ms};
  to.poll_min = Millis{from.poll_min_ms};
  to.poll_max = Millis{from.poll_max_ms};
  to.heartbeat = Millis{from.heartbeat_ms};
  to.heartbeat_max = Millis{from.heartbeat_max_ms};
  to.housekeeping = Millis{from.housekeeping_ms};
  to.context_refresh = Millis{from.context_refresh_ms};
  to.lease_retry = Millis{from.lease_retry_ms};
  to.backoff_first = Millis{from.backoff_first_ms};
  to.backoff_max = Millis{from.backoff_max_ms};
  to.max_skew = Millis{topology.clock.max_skew_ms};
  to.retention = std::chrono::seconds{origin.retention_seconds};
  return to;
}

/// The replicas of all other regions.
std::vector<OpenReplicaStore> others(const config::Topology& topology,
                                     const config::Region& region) {
  std::vector<OpenReplicaStore> others;
  for (const config::Region& each : topology.regions) {
    if (each.name != region.name) others.push_back(replica_of(each));
  }
  return others;
}

/// The origins to serve. One that is retired is served by nobody: its database may be gone.
Result<std::vector<const config::Origin*>> chosen(const config::Topology& topology,
                                                  const std::vector<std::string>& names) {
  std::vector<const config::Origin*> origins;
  for (const std::string& name : names) {
    TRIBUTARY_ASSIGN(const config::Origin* origin, find_origin(topology, name));
    if (origin->retired) {
      return fail(ErrorKind::kInvalid,
                  "origin " + name + " is retired in the topology: no relay serves it");
    }
    origins.push_back(origin);
  }
  for (const config::Origin& origin : topology.origins) {
    if (names.empty() && !origin.retired) origins.push_back(&origin);
  }
  if (origins.empty()) {
    return fail(ErrorKind::kInvalid,
                "all origins are retired in the topology: none is left to relay");
  }
  return origins;
}

Result<Daemon> prepare(const Options& options, const config::Topology& topology) {
  TRIBUTARY_ASSIGN(const auto served, chosen(topology, options.origins));
  std::vector<RelayedOrigin> origins;
  for (const config::Origin* origin : served) {
    const config::Region& region = *topology.region(origin->region);
    TRIBUTARY_ASSIGN(auto changelog, changelog_of(topology, region, region.name));
    origins.push_back({.name = origin->name,
                       .region = origin->region,
                       .open_store = store_of(*origin),
                       .open_replica = replica_of(region),
                       .open_others = others(topology, region),
                       .changelog = std::move(changelog),
                       .settings = settings_of(topology, *origin)});
  }
  const Millis drain{topology.relay.drain_ms};
  return Daemon{.metrics = options.metrics.empty() ? topology.metrics.relay : options.metrics,
                .drain = drain,
                .start = [origins, drain](std::shared_ptr<Metrics> metrics, std::stop_token stop) {
                  return start_relays(origins, drain, std::make_shared<SystemClock>(),
                                      std::move(metrics), std::move(stop));
                }};
}

int run(const Options& options) {
  return run_daemon("relay", options.config,
                    [&](const config::Topology& topology) { return prepare(options, topology); });
}

}  // namespace

void add_relay(CLI::App& app, Job& job) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "relay", "Seal and publish the changes of origins (a daemon; it follows its topology file)");
  add_config_option(*command, options->config);
  command
      ->add_option("--origin", options->origins, "Origin to relay; may be repeated; default: all")
      ->type_name("NAME");
  add_metrics_option(*command, options->metrics);
  command->callback([options, &job] { job = [options] { return run(*options); }; });
}

}  // namespace tributary::cli

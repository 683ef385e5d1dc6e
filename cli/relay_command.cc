/// `tributary relay`: seals and publishes the outboxes of some origins.
#include <map>
#include <memory>

#include <tributary/base/clock.h>
#include <tributary/cli/command.h>
#include <tributary/cli/daemon.h>
#include <tributary/cli/wiring.h>
#include <tributary/relay/relay_runner.h>

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
  to.batch_changes = static_cast<std::size_t>(from.batch_changes);
  to.batch_bytes = static_cast<std::size_t>(from.batch_bytes);
  to.unconfirmed_batches = static_cast<std::size_t>(from.unconfirmed_batches);
  to.unconfirmed_bytes = static_cast<std::size_t>(from.unconfirmed_bytes);
  to.unsaved_totals = static_cast<std::size_t>(from.unsaved_totals);
  to.confirm_interval = Millis{from.confirm_interval_ms};
  to.poll_min = Millis{from.poll_min_ms};
  to.poll_max = Millis{from.poll_max_ms};
  to.heartbeat = Millis{from.heartbeat_ms};
  to.context_refresh = Millis{from.context_refresh_ms};
  to.lease_retry = Millis{from.lease_retry_ms};
  to.backoff_first = Millis{from.backoff_first_ms};
  to.backoff_max = Millis{from.backoff_max_ms};
  to.max_skew = Millis{topology.clock.max_skew_ms};
  to.retention = std::chrono::seconds{origin.retention_seconds};
  return to;
}

int run(const Options& options) {
  const config::Topology topology = load_daemon("relay", options.config);
  std::vector<const config::Origin*> chosen;
  for (const std::string& name : options.origins) {
    const auto origin = find_origin(topology, name);
    if (!origin) return refuse_to_start(origin.error());
    chosen.push_back(*origin);
  }
  if (options.origins.empty()) {
    for (const config::Origin& origin : topology.origins) chosen.push_back(&origin);
  }
  std::vector<std::unique_ptr<Changelog>> changelogs;
  std::vector<RelayedOrigin> origins;
  for (const config::Origin* origin : chosen) {
    const config::Region& region = *topology.region(origin->region);
    auto changelog = changelog_of(topology, region, region.name);
    if (!changelog) return refuse_to_start(changelog.error());
    changelogs.push_back(std::move(*changelog));
    origins.push_back({.name = origin->name,
                       .region = origin->region,
                       .open_store = store_of(*origin),
                       .open_replica = replica_of(region),
                       .changelog = changelogs.back().get(),
                       .settings = settings_of(topology, *origin)});
  }
  SystemClock clock;
  return run_daemon(options.metrics.empty() ? topology.metrics.relay : options.metrics,
                    [&](Metrics& metrics, std::stop_token stop) {
                      return run_relays(origins, topology.schema, Millis{topology.relay.drain_ms},
                                        clock, metrics, std::move(stop));
                    });
}

}  // namespace

void add_relay(CLI::App& app, Job& job) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("relay", "Seal and publish the changes of origins (a daemon)");
  add_config_option(*command, options->config);
  command
      ->add_option("--origin", options->origins, "Origin to relay; may be repeated; default: all")
      ->type_name("NAME");
  add_metrics_option(*command, options->metrics);
  command->callback([options, &job] { job = [options] { return run(*options); }; });
}

}  // namespace tributary::cli

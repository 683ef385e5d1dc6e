/// `tributary consumer`: merges the changelogs of all origins into one region's replica.
#include <map>
#include <memory>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/daemon.h"
#include "cli/wiring.h"
#include "consumer/region_consumer.h"

namespace tributary::cli {
namespace {

struct Options {
  std::string config;
  std::string region;
  std::string metrics;
};

ConsumerSettings settings_of(const config::Topology& topology, const RegionName& region) {
  const config::Consumer& from = topology.consumer;
  ConsumerSettings to;
  to.region = region;
  to.schema = topology.schema;
  for (const config::Origin& origin : topology.origins) {
    if (origin.retired) to.retired.insert(origin.name);
  }
  to.scrub_keys_per_second = static_cast<std::size_t>(from.scrub_keys_per_second);
  to.group_deltas = static_cast<std::size_t>(from.group_deltas);
  to.queue_batches = static_cast<std::size_t>(from.queue_batches);
  to.queue_bytes = static_cast<std::size_t>(from.queue_bytes);
  to.gap_patience = Millis{from.gap_patience_ms};
  to.gap_retry = Millis{from.gap_retry_ms};
  to.prune_interval = Millis{from.prune_ms};
  to.backoff_first = Millis{from.backoff_first_ms};
  to.backoff_max = Millis{from.backoff_max_ms};
  return to;
}

Result<Daemon> prepare(const Options& options, const config::Topology& topology) {
  TRIBUTARY_ASSIGN(const config::Region* region, find_region(topology, options.region));
  ConsumerPorts ports{.open_replica = replica_of(*region),
                      .changelogs = {},
                      .clock = std::make_shared<SystemClock>(),
                      .metrics = {}};
  for (const config::Origin& origin : topology.origins) {
    TRIBUTARY_ASSIGN(ports.changelogs[origin.name],
                     changelog_of(topology, *topology.region(origin.region), region->name));
  }
  return Daemon{.metrics = options.metrics.empty() ? topology.metrics.consumer : options.metrics,
                .drain = Millis{0},
                .start = [settings = settings_of(topology, region->name), ports](
                             std::shared_ptr<Metrics> metrics, std::stop_token stop) mutable {
                  ports.metrics = std::move(metrics);
                  return start_consumer(settings, ports, std::move(stop));
                }};
}

int run(const Options& options) {
  return run_daemon("consumer", options.config,
                    [&](const config::Topology& topology) { return prepare(options, topology); });
}

}  // namespace

void add_consumer(CLI::App& app, Job& job) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "consumer",
      "Merge all origins' changes into a region's Redis (a daemon; it follows its "
      "topology file)");
  add_config_option(*command, options->config);
  command
      ->add_option("--region", options->region,
                   "Region whose replica to keep; default: the only one")
      ->type_name("NAME");
  add_metrics_option(*command, options->metrics);
  command->callback([options, &job] { job = [options] { return run(*options); }; });
}

}  // namespace tributary::cli

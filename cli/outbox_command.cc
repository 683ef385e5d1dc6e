/// `tributary outbox`: what waits in the origins' databases.
#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>

#include <tributary/cli/command.h>
#include <tributary/cli/wiring.h>

namespace tributary::cli {
namespace {

struct Options {
  std::string config;
  std::string origin;
  bool json = false;
};

void print(const config::Origin& origin, const OutboxStatus& status) {
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf("%s\n  actor          %s\n  head seq       %llu\n  confirmed seq  %llu\n",
              origin.name.value.c_str(), status.actor ? status.actor->hex().c_str() : "(none yet)",
              number(status.head_seq.value), number(status.confirmed_seq.value));
  std::printf("  not sealed     %llu\n  unconfirmed    %llu\n  parked         %llu\n",
              number(status.depth), number(status.unconfirmed), number(status.parked));
}

int run(const Options& options) {
  const config::Topology topology = load_or_exit(options.config);
  if (!options.origin.empty()) {
    const auto known = find_origin(topology, options.origin);
    if (!known) return report(known.error());
  }
  int exit = kOk;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const config::Origin& origin : topology.origins) {
    if (!options.origin.empty() && origin.name.value != options.origin) continue;
    auto status = [&]() -> Result<OutboxStatus> {
      TRIBUTARY_ASSIGN(const auto store, store_of(origin)());
      return store->status();
    }();
    if (!status) {
      exit = report(status.error());
      continue;
    }
    if (!options.json) print(origin, *status);
    all.push_back({{"name", origin.name.value},
                   {"actor", status->actor ? status->actor->hex() : ""},
                   {"head_seq", status->head_seq.value},
                   {"confirmed_seq", status->confirmed_seq.value},
                   {"outbox_depth", status->depth},
                   {"unconfirmed", status->unconfirmed},
                   {"parked", status->parked}});
  }
  if (options.json) std::printf("%s\n", all.dump(2).c_str());
  return exit;
}

}  // namespace

void add_outbox(CLI::App& app, Job& job) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("outbox", "Show what waits in the origins' outboxes, sealed or not");
  add_config_option(*command, options->config);
  command->add_option("--origin", options->origin, "Only this origin")->type_name("NAME");
  command->add_flag("--json", options->json, "As a JSON list");
  command->callback([options, &job] { job = [options] { return run(*options); }; });
}

}  // namespace tributary::cli

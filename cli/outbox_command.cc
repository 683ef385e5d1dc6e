/// `tributary outbox`: what waits in the origins' databases.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/wiring.h"

namespace tributary::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string config;
  std::string origin;
  bool json = false;
};

/// The age of the oldest change that is not sealed; absent when there is none.
std::optional<double> oldest_seconds(const OutboxStatus& status) {
  if (status.depth == 0 || status.oldest <= Micros{0}) return std::nullopt;
  return std::max(0.0, static_cast<double>((SystemClock().wall() - status.oldest).count()) / 1e6);
}

void print(const config::Origin& origin, const OutboxStatus& status) {
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf("%s\n  actor          %s\n  head seq       %llu\n  confirmed seq  %llu\n",
              origin.name.value.c_str(), status.actor ? status.actor->hex().c_str() : "(none yet)",
              number(status.head_seq.value), number(status.confirmed_seq.value));
  std::printf("  not sealed     %s\n", counted(status.depth).c_str());
  if (const auto age = oldest_seconds(status)) std::printf("  oldest of it   %.1f s\n", *age);
  std::printf("  unconfirmed    %llu\n  parked         %s\n", number(status.unconfirmed),
              counted(status.parked).c_str());
  for (const FormerActor& former : status.former) {
    std::printf("  former actor   %s, ended at seq %llu\n", former.actor.hex().c_str(),
                number(former.final_seq.value));
  }
}

int run(const Options& options) {
  const config::Topology topology = load_or_exit(options.config);
  if (!options.origin.empty()) {
    const auto known = find_origin(topology, options.origin);
    if (!known) return report(known.error());
  }
  int exit = kOk;
  Json all = Json::array();
  for (const config::Origin& origin : topology.origins) {
    if (options.origin.empty() ? origin.retired : origin.name.value != options.origin) continue;
    auto status = [&]() -> Result<OutboxStatus> {
      TRIBUTARY_ASSIGN(const auto store, store_of(origin)());
      return store->status();
    }();
    if (!status) {
      exit = report(status.error());
      continue;
    }
    if (!options.json) print(origin, *status);
    const auto age = oldest_seconds(*status);
    all.push_back({{"name", origin.name.value},
                   {"actor", status->actor ? status->actor->hex() : ""},
                   {"head_seq", status->head_seq.value},
                   {"confirmed_seq", status->confirmed_seq.value},
                   {"outbox_depth", status->depth},
                   {"oldest_seconds", age ? Json(*age) : Json(nullptr)},
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

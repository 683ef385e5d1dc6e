/// `tributary parked list|retry|discard`: what a region's consumer has set aside.
#include <cstdio>
#include <ctime>
#include <memory>

#include <nlohmann/json.hpp>

#include <tributary/cli/command.h>
#include <tributary/cli/retry.h>
#include <tributary/cli/wiring.h>

namespace tributary::cli {
namespace {

struct Options {
  std::string config;
  std::string region;
  std::string key;
  std::vector<std::string> ids;
  bool json = false;
};

std::string time_of(Micros wall) {
  const std::time_t seconds = wall.count() / 1'000'000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

Result<std::unique_ptr<ReplicaStore>> open(const Options& options) {
  const config::Topology topology = load_or_exit(options.config);
  TRIBUTARY_ASSIGN(const config::Region* region, find_region(topology, options.region));
  return replica_of(*region)();
}

Result<int> list(const Options& options) {
  TRIBUTARY_ASSIGN(const auto store, open(options));
  TRIBUTARY_ASSIGN(const auto all, store->parked());
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Parked& parked : all) {
    json.push_back({{"id", parked.id},
                    {"origin", parked.origin.value},
                    {"actor", parked.actor.hex()},
                    {"first_seq", parked.first_seq.value},
                    {"last_seq", parked.last_seq.value},
                    {"key", parked.key},
                    {"reason", parked.reason},
                    {"bytes", parked.bytes.size()},
                    {"parked_at", time_of(parked.parked_at)}});
    if (options.json) continue;
    std::printf("%s  %s\n  %s\n", time_of(parked.parked_at).c_str(), parked.id.c_str(),
                parked.reason.c_str());
  }
  using Json = nlohmann::ordered_json;
  if (options.json) {
    std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  } else if (all.empty()) {
    std::printf("nothing is parked\n");
  }
  return kOk;
}

Result<int> retry(const Options& options) {
  TRIBUTARY_ASSIGN(const auto store, open(options));
  TRIBUTARY_ASSIGN(const Retried retried, retry_parked(*store, options.key));
  std::printf("%zu applied, %zu still parked\n", retried.applied, retried.still_parked.size());
  for (const Parked& parked : retried.still_parked) {
    std::printf("%s\n  %s\n", parked.id.c_str(), parked.reason.c_str());
  }
  return retried.still_parked.empty() ? kOk : kFailed;
}

Result<int> discard(const Options& options) {
  TRIBUTARY_ASSIGN(const auto store, open(options));
  TRIBUTARY_ASSIGN(const auto all, store->parked());
  for (const std::string& id : options.ids) {
    const bool known =
        std::any_of(all.begin(), all.end(), [&](const Parked& parked) { return parked.id == id; });
    if (!known) return fail(ErrorKind::kInvalid, "nothing is parked under the id " + id);
  }
  TRIBUTARY_TRY(discard_parked(*store, options.ids));
  std::printf("%zu discarded\n", options.ids.size());
  return kOk;
}

}  // namespace

void add_parked(CLI::App& app, Job& job) {
  CLI::App* group = app.add_subcommand(
      "parked", "List, retry or discard changes that a region's consumer has set aside");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* about, Result<int> (*run)(const Options&)) {
    auto options = std::make_shared<Options>();
    CLI::App* command = group->add_subcommand(name, about);
    add_config_option(*command, options->config);
    command->add_option("--region", options->region, "Region; default: the only one")
        ->type_name("NAME");
    command->callback([options, run, &job] {
      job = [options, run] {
        const auto done = run(*options);
        return done ? *done : report(done.error());
      };
    });
    return std::pair(command, options);
  };
  const auto [lister, list_options] = add("list", "Show what is parked, and why", list);
  lister->add_flag("--json", list_options->json, "As a JSON list");
  const auto [retrier, retry_options] =
      add("retry", "Apply parked changes, after their cause was mended", retry);
  retrier->add_option("--key", retry_options->key, "Only changes to this key")->type_name("KEY");
  const auto [discarder, discard_options] =
      add("discard", "Forget parked changes for good: this region will miss them", discard);
  discarder->add_option("id", discard_options->ids, "Ids that `parked list` shows")->required();
}

}  // namespace tributary::cli

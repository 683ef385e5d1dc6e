/// `tributary read`: what a key holds in a region, with the context for a later write.
#include <cstdio>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/reading_text.h"
#include "cli/wiring.h"

namespace tributary::cli {
namespace {

struct Options {
  std::string config;
  std::string region;
  std::string key;
  bool json = false;
};

int run(const Options& options) {
  const config::Topology topology = load_or_exit(options.config);
  const auto region = find_region(topology, options.region);
  if (!region) return report(region.error());
  const auto store = replica_of(**region)();
  if (!store) return report(store.error());
  const auto reading = (*store)->read(options.key);
  if (!reading) return report(reading.error());
  const std::string out =
      options.json ? as_json(options.key, (*region)->name, *reading) : as_text(*reading);
  std::fputs(out.c_str(), stdout);
  return kOk;
}

}  // namespace

void add_read(CLI::App& app, Job& job) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("read", "Print value, type and context of a key in a region");
  command->footer(
      "A value with control characters, or bytes that are no text, stands in quotes, with \\n, "
      "\\t,\n"
      "\\xNN and \\u00NN for them. In JSON, bytes that are not UTF-8 are {\"base64\": \"…\"}.\n"
      "The context goes into a later change (see `tributary write --help`).");
  add_config_option(*command, options->config);
  command->add_option("--region", options->region, "Region to read in; default: the only one")
      ->type_name("NAME");
  command->add_flag("--json", options->json, "As one JSON object");
  command->add_option("key", options->key, "Key to read")->required();
  command->callback([options, &job] { job = [options] { return run(*options); }; });
}

}  // namespace tributary::cli

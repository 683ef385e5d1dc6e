/// `tributary parked list|show|retry|discard`: what was set aside, at origins and in regions.
#include <memory>

#include "cli/command.h"
#include "cli/parked.h"

namespace tributary::cli {
namespace {

using Run = Result<int> (*)(const config::Topology&, const ParkedOptions&);

/// A subcommand and where its options go.
struct Added {
  CLI::App* command;
  std::shared_ptr<ParkedOptions> options;
};

Added add(CLI::App& group, Job& job, const char* name, const char* about, Run run) {
  auto options = std::make_shared<ParkedOptions>();
  CLI::App* command = group.add_subcommand(name, about);
  add_config_option(*command, options->config);
  CLI::Option* region =
      command->add_option("--region", options->region, "What this region's consumer set aside")
          ->type_name("NAME");
  CLI::Option* origin =
      command->add_option("--origin", options->origin, "What this origin's relay set aside")
          ->type_name("NAME");
  origin->excludes(region);
  command->callback([options, run, &job] {
    job = [options, run] {
      const auto done = run(load_or_exit(options->config), *options);
      return done ? *done : report(done.error());
    };
  });
  return {command, options};
}

CLI::Option* add_ids(const Added& to) {
  return to.command->add_option("id", to.options->ids,
                                "Ids that `parked list` shows; of an origin: transactions");
}

void add_in_doubt(const Added& to, const char* about) {
  to.command->add_flag("--in-doubt", to.options->in_doubt, about);
}

void add_key(const Added& to, const char* about) {
  to.command->add_option("--key", to.options->key, about)->type_name("KEY");
}

}  // namespace

void add_parked(CLI::App& app, Job& job) {
  CLI::App* group = app.add_subcommand(
      "parked",
      "List, show, retry or discard changes that were set aside because they can never be\n"
      "published (at an origin) or applied (in a region)");
  group->require_subcommand(1);

  const Added list =
      add(*group, job, "list", "What is set aside, and why; default: everywhere", list_parked);
  add_key(list, "Only changes to this key");
  add_in_doubt(list, "Only those at origins that a restore left in doubt");
  list.command->add_flag("--json", list.options->json, "As a JSON list");
  list.command
      ->add_option("--limit", list.options->limit, "At most so many, of each region and origin")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->type_name("N");
  list.command->add_option("--after", list.options->after, "Go on behind this one")
      ->type_name("ID");

  const Added show = add(*group, job, "show", "Everything that is known of one", show_parked);
  add_ids(show)->required();

  const Added retry = add(*group, job, "retry",
                          "Apply or publish again, after the cause was mended; default: all, but "
                          "not those in doubt",
                          retry_parked);
  add_ids(retry);
  add_key(retry, "Only changes to this key (at an origin: and all of their transactions)");
  add_in_doubt(retry, "At an origin: those that a restore left in doubt, and only these");

  const Added discard =
      add(*group, job, "discard",
          "Forget for good; says what will be missed, and does it with --yes", discard_parked);
  add_ids(discard);
  add_key(discard, "All changes to this key (at an origin: and all of their transactions)");
  add_in_doubt(discard, "At an origin: all those that a restore left in doubt");
  discard.command->add_flag("--yes", discard.options->yes, "I know that it will be missed");
}

}  // namespace tributary::cli

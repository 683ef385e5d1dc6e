/// `tributary topology check|apply|show`.
#include <cstdio>
#include <memory>

#include <tributary/base/text.h>
#include <tributary/cli/command.h>
#include <tributary/cli/wiring.h>
#include <tributary/connectors/rabbitmq/retention.h>

namespace tributary::cli {
namespace {

int check(const std::string& path) {
  const config::Topology topology = load_or_exit(path, Secrets::kAll);
  for (const config::Mistake& warning : config::load_topology(path).warnings) {
    std::fprintf(stderr, "%s\n", printable(config::to_string(path, warning)).c_str());
  }
  std::printf("%s: ok: %zu regions, %zu origins, %zu keyspaces\n", path.c_str(),
              topology.regions.size(), topology.origins.size(), topology.schema.keyspaces.size());
  return kOk;
}

Result<Declared> declare(const config::Topology& topology, const config::Origin& origin) {
  const config::Region& region = *topology.region(origin.region);
  TRIBUTARY_ASSIGN(const auto changelog, changelog_of(topology, region, region.name));
  return changelog->declare(origin.name);
}

/// How to change what a declaration cannot. The policy is in force at once, overrides the limits
/// that the stream was made with, and deletes nothing but what it says is too old or too much.
void explain_other_limits(const config::Topology& topology, const config::Origin& origin) {
  const std::string policy =
      rabbitmq::retention_policy(origin.name, std::chrono::hours{topology.changelog.max_age_hours},
                                 static_cast<std::uint64_t>(topology.changelog.max_bytes));
  std::printf("%-12s %-10s %s\n", origin.name.value.c_str(), "changelog",
              ("the stream was made with other limits than the topology's, and keeps them unless a "
               "policy on the broker says otherwise (none can be seen from here). To set the "
               "topology's limits, on the broker:\n    " +
               policy)
                  .c_str());
}

int apply(const std::string& path) {
  const config::Topology topology = load_or_exit(path);
  int exit = kOk;
  for (const config::Origin& origin : topology.origins) {
    const auto step = [&](const char* what, const Result<void>& done) {
      std::printf("%-12s %-10s %s\n", origin.name.value.c_str(), what, done ? "ok" : "failed");
      if (!done) exit = report(done.error());
    };
    step("tables", apply_schema(topology, origin));
    const auto declared = declare(topology, origin);
    step("changelog", declared.map([](Declared) {}));
    if (declared == Declared::kThereWithOtherLimits) explain_other_limits(topology, origin);
  }
  return exit;
}

int show(const std::string& path) {
  std::fputs(config::render(load_or_exit(path)).c_str(), stdout);
  return kOk;
}

}  // namespace

void add_topology(CLI::App& app, Job& job) {
  CLI::App* group = app.add_subcommand("topology", "Check, apply or show the topology file");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* about, int (*run)(const std::string&)) {
    auto path = std::make_shared<std::string>();
    CLI::App* command = group->add_subcommand(name, about);
    add_config_option(*command, *path);
    command->callback([path, run, &job] { job = [path, run] { return run(*path); }; });
  };
  add("check", "Report every mistake as file:line: key: what; exit 2 if there is any", check);
  add("apply", "Create or upgrade outbox tables and changelogs; safe to repeat", apply);
  add("show", "Print the effective topology, defaults filled in and secrets left out", show);
}

}  // namespace tributary::cli

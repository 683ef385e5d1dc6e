/// `tributary topology check|apply|show`.
#include <cstdio>
#include <memory>
#include <string>

#include "base/text.h"
#include "cli/command.h"
#include "cli/type_changes.h"
#include "cli/wiring.h"
#include "connectors/changelog/rabbitmq/retention.h"

namespace tributary::cli {
namespace {

struct Options {
  std::string path;
  bool force = false;
};

int check(const Options& options) {
  const std::string& path = options.path;
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
  const config::Region& region = *topology.region(origin.region);
  const std::string policy =
      rabbitmq::retention_policy(config::broker_url(region, region.name), origin.name,
                                 std::chrono::hours{topology.changelog.max_age_hours},
                                 static_cast<std::uint64_t>(topology.changelog.max_bytes));
  std::printf(
      "%-12s %-10s %s\n", origin.name.value.c_str(), "changelog",
      ("the stream was made with other limits than the topology's, and keeps them unless a "
       "policy on the broker says otherwise (none can be seen from here). To set the "
       "topology's limits, on the broker (what lies beyond them is deleted at once; see first that "
       "every "
       "region has applied it, and docs/operations.md, \"Changing what a stream keeps\"):\n    " +
       policy)
          .c_str());
}

void tell(const TypeChange& change) {
  const std::string key = in_quotes(change.key);
  if (change.origin.empty()) {
    std::fprintf(stderr, "tributary: key %s is a %s and would become a %s\n", key.c_str(),
                 change.from.c_str(), change.to.c_str());
    return;
  }
  const std::string then =
      change.to.empty() ? "no keyspace would take it" : "it would become a " + change.to;
  std::fprintf(stderr, "tributary: origin %s: a change to key %s as a %s is on its way, and %s\n",
               change.origin.c_str(), key.c_str(), change.from.c_str(), then.c_str());
}

/// What --force would do to changes on their way.
std::string force(const TypeChanges& changes) {
  std::string what = "With --force ";
  if (changes.waiting > changes.sealed) {
    what +=
        "their transactions are parked at their origins: nothing is lost, `tributary parked list "
        "--origin NAME` shows them, and `parked retry --origin NAME` publishes them once a "
        "keyspace takes them again";
  }
  if (changes.waiting > changes.sealed && changes.sealed > 0) what += "; ";
  if (changes.sealed > 0) {
    what += std::to_string(changes.sealed) +
            " that are sealed already are set aside in every region, beside their keys "
            "(`tributary parked list`): the changelogs keep them, in case the keyspace gets its "
            "old type back";
  }
  return what;
}

/// Every change of another type than its key's would be set aside.
int refuse_type_changes(const TypeChanges& changes) {
  for (const TypeChange& each : changes.told) tell(each);
  for (const std::string& why : changes.unasked) {
    std::fprintf(stderr, "tributary: its keys cannot be looked through: %s\n",
                 printable(why).c_str());
  }
  if (changes.waiting > 0 && changes.keys == 0) {
    std::fprintf(stderr,
                 "tributary: nothing was applied: %llu changes are on their way that would be "
                 "parked. Let the relays publish them first (`tributary status` shows when). %s\n",
                 static_cast<unsigned long long>(changes.waiting), force(changes).c_str());
    return kFailed;
  }
  if (changes.keys == 0) {
    std::fprintf(stderr,
                 "tributary: nothing was applied: a keyspace has another type than keys may have "
                 "that it takes. Apply it when all replicas can be asked, or give the new type a "
                 "key pattern of its own\n");
    return kUnreachable;
  }
  std::fprintf(stderr,
               "tributary: nothing was applied: %llu keys would change their type. Give the new "
               "type a key pattern of its own; or, when the old values may go, see \"Changing a "
               "keyspace's type\" in docs/topology.md, then use --force\n",
               static_cast<unsigned long long>(changes.keys));
  return kFailed;
}

int retype(const config::Topology& topology) {
  int exit = kOk;
  for (const config::Region& region : topology.regions) {
    const auto keys = retype_keys(topology, region);
    std::printf("%-12s %-10s %s\n", region.name.value.c_str(), "replica", keys ? "ok" : "failed");
    if (!keys) {
      exit =
          report(keys.error().in("its keys of other types stay as they are: run `topology "
                                 "apply --force` again when the replica is there"));
    } else if (*keys > 0) {
      std::printf("%-12s %-10s %llu keys get another type; see `tributary parked list`\n",
                  region.name.value.c_str(), "replica", static_cast<unsigned long long>(*keys));
    }
  }
  return exit;
}

int apply(const Options& options) {
  const config::Topology topology = load_or_exit(options.path);
  if (!options.force) {
    const TypeChanges changes = find_type_changes(topology);
    if (changes.keys + changes.waiting > 0 || !changes.unasked.empty())
      return refuse_type_changes(changes);
  }
  int exit = kOk;
  for (const config::Origin& origin : topology.origins) {
    if (origin.retired) continue;
    const auto step = [&](const char* what, const Result<void>& done) {
      std::printf("%-12s %-10s %s\n", origin.name.value.c_str(), what, done ? "ok" : "failed");
      if (!done) exit = report(done.error());
    };
    step("tables", apply_schema(topology, origin));
    const auto declared = declare(topology, origin);
    step("changelog", declared.map([](Declared) {}));
    if (declared == Declared::kThereWithOtherLimits) explain_other_limits(topology, origin);
  }
  if (options.force) {
    if (const int retyped = retype(topology); exit == kOk) exit = retyped;
  }
  return exit;
}

int show(const Options& options) {
  std::fputs(config::render(load_or_exit(options.path)).c_str(), stdout);
  return kOk;
}

}  // namespace

void add_topology(CLI::App& app, Job& job) {
  CLI::App* group = app.add_subcommand("topology", "Check, apply or show the topology file");
  group->require_subcommand(1);
  const auto add = [&](const char* name, const char* about, int (*run)(const Options&)) {
    auto options = std::make_shared<Options>();
    CLI::App* command = group->add_subcommand(name, about);
    add_config_option(*command, options->path);
    command->callback([options, run, &job] { job = [options, run] { return run(*options); }; });
    return std::pair(command, options);
  };
  add("check", "Report every mistake as file:line: key: what; exit 2 if there is any", check);
  const auto [applying, options] =
      add("apply", "Create or upgrade outbox tables and changelogs; safe to repeat", apply);
  applying->add_flag("--force", options->force, "Also when keys that are there change their type");
  add("show", "Print the effective topology, defaults filled in and secrets left out", show);
}

}  // namespace tributary::cli

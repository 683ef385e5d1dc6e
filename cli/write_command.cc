/// `tributary write`: JSON lines into an origin's outbox, a transaction per line.
#include <cstdio>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/line_reader.h"
#include "cli/line_writer.h"
#include "cli/terminal.h"
#include "cli/wiring.h"

namespace tributary::cli {
namespace {

struct Options {
  std::string config;
  std::string origin;
  std::string file = "-";
  std::string on_error = "stop";
};

int run(const Options& options) {
  const config::Topology topology = load_or_exit(options.config);
  const auto origin = find_origin(topology, options.origin);
  if (!origin) return report(origin.error());
  const Limits& limits = topology.schema.limits;
  auto in = LineReader::open(options.file, longest_line(limits));
  if (!in) return report(in.error());
  const auto session = session_of(**origin);
  if (!session) return report(session.error());
  ProgressLine progress("lines");
  const auto tally =
      LineWriter(**session, limits, options.on_error == "stop").run(*in, [&](std::uint64_t done) {
        progress.update(done);
      });
  if (!tally) return report(tally.error());
  progress.finish(tally->lines);
  std::fprintf(stderr,
               "%llu transactions with %llu changes committed to %s, %llu lines refused%s\n",
               static_cast<unsigned long long>(tally->transactions),
               static_cast<unsigned long long>(tally->changes), (*origin)->name.value.c_str(),
               static_cast<unsigned long long>(tally->refused),
               tally->stopped ? "; stopped there (--on-error continue reads on)" : "");
  return tally->refused == 0 ? kOk : kFailed;
}

}  // namespace

void add_write(CLI::App& app, Job& job) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "write", "Write JSON lines to an origin's outbox, each line one transaction");
  command->footer(
      "Lines:\n"
      "  {\"key\":\"stock:85123A\",\"type\":\"counter\",\"add\":-6}\n"
      "  {\"key\":\"price:85123A\",\"type\":\"register\",\"set\":\"2.55\"}   or \"clear\":true\n"
      "  {\"key\":\"cart:17850\",\"type\":\"set\",\"add\":[\"a\",\"b\"]}      or \"remove\", "
      "\"clear\"\n"
      "  {\"tx\":[{…},{…}]}                                     several in one transaction\n"
      "A change may have a \"context\": what `tributary read` printed, so that a remove removes\n"
      "what you saw. Example:\n"
      "  echo '{\"key\":\"stock:1\",\"type\":\"counter\",\"add\":5}' | tributary write --origin "
      "shop_eu");
  add_config_option(*command, options->config);
  command->add_option("--origin", options->origin, "Origin to write to; default: the only one")
      ->type_name("NAME");
  command
      ->add_option("--on-error", options->on_error,
                   "After a refused line, of which nothing is written: stop, or continue with "
                   "the next; the exit code is 1 in both cases")
      ->check(CLI::IsMember({"stop", "continue"}))
      ->capture_default_str();
  command->add_option("file", options->file, "File to read; - is stdin")
      ->type_name("FILE")
      ->capture_default_str();
  command->callback([options, &job] { job = [options] { return run(*options); }; });
}

}  // namespace tributary::cli

/// `tributary write`: JSON lines into an origin's outbox, a transaction per line.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include <tributary/cli/change_json.h>
#include <tributary/cli/command.h>
#include <tributary/cli/terminal.h>
#include <tributary/cli/wiring.h>
#include <tributary/outbox/transaction.h>

namespace tributary::cli {
namespace {

struct Options {
  std::string config;
  std::string origin;
  std::string file = "-";
  std::string on_error = "stop";
};

struct Tally {
  std::uint64_t lines = 0;
  std::uint64_t transactions = 0;
  std::uint64_t changes = 0;
  std::uint64_t refused = 0;
};

/// Writes one line; a refused line leaves nothing behind.
Result<std::size_t> write_line(ProducerSession& session, const std::string& line) {
  TRIBUTARY_ASSIGN(std::vector<Change> changes, parse_line(line));
  TRIBUTARY_TRY(session.begin());
  Transaction transaction(session.outbox());
  const std::size_t count = changes.size();
  auto done = [&]() -> Result<void> {
    for (Change& change : changes) TRIBUTARY_TRY(transaction.write(std::move(change)));
    return transaction.commit();
  }();
  if (!done) {
    static_cast<void>(session.rollback());  // the error at hand says more
    return fail(done.error());
  }
  return count;
}

Result<Tally> write_all(ProducerSession& session, std::istream& in, const Options& options) {
  Tally tally;
  ProgressLine progress("lines");
  std::string line;
  while (std::getline(in, line)) {
    ++tally.lines;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto written = write_line(session, line);
    if (written) {
      ++tally.transactions;
      tally.changes += *written;
    } else {
      std::fprintf(stderr, "line %llu: %s\n", static_cast<unsigned long long>(tally.lines),
                   written.error().message.c_str());
      if (written.error().kind != ErrorKind::kInvalid) {
        return fail(written.error().in("stopped at line " + std::to_string(tally.lines) +
                                       ", which may or may not be committed; " +
                                       std::to_string(tally.transactions) +
                                       " transactions before it are"));
      }
      ++tally.refused;
      if (options.on_error == "stop") break;
    }
    progress.update(tally.lines);
  }
  progress.finish(tally.lines);
  return tally;
}

int run(const Options& options) {
  const config::Topology topology = load_or_exit(options.config);
  const auto origin = find_origin(topology, options.origin);
  if (!origin) return report(origin.error());
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file);
    if (!file) {
      return report({ErrorKind::kInvalid, "cannot read file " + options.file});
    }
  }
  const auto session = session_of(**origin);
  if (!session) return report(session.error());
  const auto tally = write_all(**session, options.file == "-" ? std::cin : file, options);
  if (!tally) return report(tally.error());
  std::fprintf(stderr, "%llu transactions with %llu changes committed to %s, %llu lines refused\n",
               static_cast<unsigned long long>(tally->transactions),
               static_cast<unsigned long long>(tally->changes), (*origin)->name.value.c_str(),
               static_cast<unsigned long long>(tally->refused));
  return tally->refused == 0 ? kOk : kFailed;
}

}  // namespace

void add_write(CLI::App& app, Job& job) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "write",
      "Write JSON lines to an origin's outbox, each line one transaction:\n"
      "  {\"key\":\"stock:85123A\",\"type\":\"counter\",\"add\":-6}\n"
      "  {\"key\":\"price:85123A\",\"type\":\"register\",\"set\":\"2.55\"}   or \"clear\":true\n"
      "  {\"key\":\"cart:17850\",\"type\":\"set\",\"add\":[\"a\",\"b\"]}      or \"remove\", "
      "\"clear\"\n"
      "  {\"tx\":[{…},{…}]}                                     several in one transaction");
  add_config_option(*command, options->config);
  command->add_option("--origin", options->origin, "Origin to write to; default: the only one")
      ->type_name("NAME");
  command
      ->add_option("--on-error", options->on_error,
                   "After a refused line, of which nothing is written: stop, or skip it and "
                   "go on; the exit code is 1 in both cases")
      ->check(CLI::IsMember({"stop", "continue"}))
      ->capture_default_str();
  command->add_option("file", options->file, "File to read; - is stdin")->capture_default_str();
  command->callback([options, &job] { job = [options] { return run(*options); }; });
}

}  // namespace tributary::cli

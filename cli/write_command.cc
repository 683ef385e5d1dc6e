/// `tributary write`: JSON lines into an origin's outbox, a transaction per line.
#include <cstdio>
#include <memory>
#include <string>

#include <tributary/base/text.h>
#include <tributary/cli/change_json.h>
#include <tributary/cli/command.h>
#include <tributary/cli/line_reader.h>
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
  bool stopped = false;  ///< at the refused line: what stands behind it was not read
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

/// The longest line that can be a transaction within the limits: every byte as \u00NN, and what
/// stands around each change.
std::size_t longest_line(const Limits& limits) {
  constexpr std::size_t kAroundChange = 256;
  constexpr std::size_t kAtLeast = 65'536;
  return kAtLeast + 6 * limits.transaction_bytes + kAroundChange * limits.transaction_changes;
}

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

/// Reads lines and keeps count of what became of them.
class Writer {
 public:
  Writer(ProducerSession& session, const Limits& limits, bool stop_at_refused)
      : session_(session), limits_(limits), stop_at_refused_(stop_at_refused) {}

  Result<Tally> run(LineReader& in) {
    std::string line;
    while (true) {
      const auto read = in.next(line);
      if (!read) {
        return fail(read.error().in("stopped after line " + std::to_string(tally_.lines) + "; " +
                                    std::to_string(tally_.transactions) +
                                    " transactions are committed"));
      }
      if (*read == LineReader::Read::kEnd) break;
      ++tally_.lines;
      if (tally_.lines == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
      if (is_blank(line)) continue;
      TRIBUTARY_TRY(take(line, *read == LineReader::Read::kTooLong));
      progress_.update(tally_.lines);
      tally_.stopped = tally_.refused > 0 && stop_at_refused_;
      if (tally_.stopped) break;
    }
    progress_.finish(tally_.lines);
    return tally_;
  }

 private:
  Result<void> take(const std::string& line, bool too_long) {
    const auto written = too_long ? refuse_long() : write_line(session_, line);
    if (written) {
      ++tally_.transactions;
      tally_.changes += *written;
      return {};
    }
    std::fprintf(stderr, "line %llu: %s\n", static_cast<unsigned long long>(tally_.lines),
                 printable(written.error().message).c_str());
    if (written.error().kind != ErrorKind::kInvalid) return fail(in_doubt(written.error()));
    ++tally_.refused;
    return {};
  }

  Result<std::size_t> refuse_long() const {
    return fail(ErrorKind::kInvalid,
                "it has more than " + std::to_string(longest_line(limits_)) +
                    " bytes, so it is above limits.transaction_bytes or transaction_changes; make "
                    "several transactions of it");
  }

  [[nodiscard]] Error in_doubt(const Error& error) const {
    return error.in("stopped at line " + std::to_string(tally_.lines) +
                    ", which may or may not be committed; " + std::to_string(tally_.transactions) +
                    " transactions before it are");
  }

  ProducerSession& session_;
  const Limits& limits_;
  bool stop_at_refused_;
  Tally tally_;
  ProgressLine progress_{"lines"};
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
  const auto tally = Writer(**session, limits, options.on_error == "stop").run(*in);
  if (!tally) return report(tally.error());
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

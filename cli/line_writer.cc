#include "cli/line_writer.h"

#include <cstdio>

#include <tributary/outbox/transaction.h>

#include "base/text.h"
#include "cli/change_json.h"

namespace tributary::cli {
namespace {

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

}  // namespace

std::size_t longest_line(const Limits& limits) {
  constexpr std::size_t kAroundChange = 256;
  constexpr std::size_t kAtLeast = 65'536;
  return kAtLeast + 6 * limits.transaction_bytes + kAroundChange * limits.transaction_changes;
}

Result<Tally> LineWriter::run(LineReader& in, const std::function<void(std::uint64_t)>& progress) {
  std::string line;
  while (true) {
    const auto read = in.next(line);
    if (!read) {
      return fail(read.error().in("stopped after line " + std::to_string(tally_.lines) + "; " +
                                  std::to_string(tally_.transactions) +
                                  " transactions are committed"));
    }
    if (*read == LineReader::Read::kEnd) return tally_;
    ++tally_.lines;
    if (tally_.lines == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
    if (is_blank(line)) continue;
    TRIBUTARY_TRY(take(line, *read == LineReader::Read::kTooLong));
    progress(tally_.lines);
    tally_.stopped = tally_.refused > 0 && stop_at_refused_;
    if (tally_.stopped) return tally_;
  }
}

Result<void> LineWriter::take(const std::string& line, bool too_long) {
  const auto written = too_long ? refuse_long() : write(line);
  if (written) {
    ++tally_.transactions;
    tally_.changes += *written;
    return {};
  }
  std::fprintf(stderr, "line %llu: %s\n", static_cast<unsigned long long>(tally_.lines),
               printable(written.error().message).c_str());
  if (written.error().kind != ErrorKind::kInvalid) return fail(stopped(written.error()));
  ++tally_.refused;
  return {};
}

Result<std::size_t> LineWriter::write(const std::string& line) {
  TRIBUTARY_ASSIGN(std::vector<Change> changes, parse_line(line));
  TRIBUTARY_TRY(session_.begin());
  Transaction transaction(session_.outbox());
  const std::size_t count = changes.size();
  const auto buffered = [&]() -> Result<void> {
    for (Change& change : changes) TRIBUTARY_TRY(transaction.write(std::move(change)));
    return transaction.flush();
  }();
  if (!buffered) {
    static_cast<void>(session_.rollback());  // the error at hand says more
    return fail(buffered.error());
  }
  TRIBUTARY_TRY(commit(transaction));
  return count;
}

/// There is doubt only when the commit itself did not say, and nothing was left to roll back.
Result<void> LineWriter::commit(Transaction& transaction) {
  auto done = transaction.commit();
  if (done) return done;
  const ErrorKind kind = done.error().kind;
  const bool rolled_back = session_.rollback().value_or(false);
  in_doubt_ = kind != ErrorKind::kConflict && kind != ErrorKind::kInvalid && !rolled_back;
  return done;
}

Result<std::size_t> LineWriter::refuse_long() const {
  return fail(ErrorKind::kInvalid,
              "it has more than " + std::to_string(longest_line(limits_)) +
                  " bytes, so it is above limits.transaction_bytes or transaction_changes; make "
                  "several transactions of it");
}

Error LineWriter::stopped(const Error& error) const {
  return error.in(
      "stopped at line " + std::to_string(tally_.lines) +
      (in_doubt_ ? ", which may or may not be committed; " : ", of which nothing is committed; ") +
      std::to_string(tally_.transactions) + " transactions before it are");
}

}  // namespace tributary::cli

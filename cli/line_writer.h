/// Writes JSON lines to an outbox, a transaction per line. Not for: what a line may say
/// (change_json.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>

#include "cli/line_reader.h"
#include "connectors/outbox/producer_session.h"

namespace tributary::cli {

struct Tally {
  std::uint64_t lines = 0;
  std::uint64_t transactions = 0;  ///< committed
  std::uint64_t changes = 0;
  std::uint64_t refused = 0;
  bool stopped = false;  ///< at the refused line: what stands behind it was not read
};

/// The longest line that can be a transaction within the limits: every byte as \u00NN, and what
/// stands around each change.
[[nodiscard]] std::size_t longest_line(const Limits& limits);

/// Reads lines and keeps count of what became of them. A refused line, which leaves nothing behind,
/// is told on stderr. All is borrowed.
class LineWriter {
 public:
  LineWriter(ProducerSession& session, const Limits& limits, bool stop_at_refused)
      : session_(session), limits_(limits), stop_at_refused_(stop_at_refused) {}

  /// `progress` is called with the number of lines that were dealt with. Any other failure of the
  /// database ends it; the message says what became of the line at hand, and of those before.
  Result<Tally> run(LineReader& in, const std::function<void(std::uint64_t)>& progress);

 private:
  Result<void> take(const std::string& line, bool too_long);
  Result<std::size_t> write(const std::string& line);
  Result<void> commit(Transaction& transaction);
  [[nodiscard]] Result<std::size_t> refuse_long() const;
  [[nodiscard]] Error stopped(const Error& error) const;

  ProducerSession& session_;
  const Limits& limits_;
  bool stop_at_refused_;
  bool in_doubt_ = false;  ///< whether the line at hand is committed
  Tally tally_;
};

}  // namespace tributary::cli

/// Whether services are in the middle of reading. In write-ahead logging a transaction that began
/// with a read, and writes later, fails at once (SQLITE_BUSY_SNAPSHOT) when somebody else has
/// written meanwhile; so the relay writes while nobody reads, if it need not wait long for that.
///
/// Told by SQLite's own locks on its shared memory, which its file format fixes
/// (https://sqlite.org/walformat.html, "WAL Locks"): byte 0 is the writer's, 3 to 7 the readers'.
/// They are tried and given back at once; who begins to read just then tries again by itself.
#pragma once

#include <optional>

#include "base/clock.h"
#include "connectors/outbox/sqlite/statement.h"

namespace tributary::sqlite {

/// Borrows the connection, which must have read in WAL mode and have no transaction open.
class QuietMoment {
 public:
  explicit QuietMoment(sqlite3* connection) : connection_(connection) {}

  /// Without it everything counts as quiet.
  void enable(bool on) { enabled_ = on; }
  [[nodiscard]] bool enabled() const { return enabled_; }
  /// True when no other connection is within a transaction. Remembers one that began by reading.
  [[nodiscard]] bool look();
  /// Returns when it is quiet, when `until` (monotonic) has come, or when the only transactions
  /// there are began with a write: those only wait for us, and never fail.
  void wait(Micros until);
  /// True when such a transaction was met within the last second.
  [[nodiscard]] bool readers_lately() const;

 private:
  [[nodiscard]] bool now() const;
  /// Whether the transactions that there are all seem to have begun with a write.
  [[nodiscard]] bool writers_only() const;
  [[nodiscard]] bool can_lock(int first, int count, int kind) const;

  sqlite3* connection_;
  bool enabled_ = false;
  std::optional<Micros> readers_at_;
};

}  // namespace tributary::sqlite

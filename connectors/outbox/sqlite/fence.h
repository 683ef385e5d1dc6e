/// Transactions of the relay on the outbox, and the fence: they hold only while the origin's row
/// says what the leader knows.
#pragma once

#include <cstdint>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>

#include "connectors/outbox/sqlite/place.h"
#include "connectors/outbox/sqlite/statement.h"

namespace tributary::sqlite {

/// What the leader's last write left in the origin's row.
struct LeadMark {
  std::uint64_t epoch = 0;  ///< 0: never led
  ActorId actor;
  Seq head;
  std::int64_t stamp = 0;  ///< drawn anew by every write: tells states apart that else look alike

  bool operator==(const LeadMark&) const = default;
};

[[nodiscard]] Error no_origin();

/// Borrows connection and file. Not thread-safe.
class Fence {
 public:
  Fence(sqlite3* connection, const OpenFile& file) : connection_(connection), file_(file) {}

  LeadMark lead;

  [[nodiscard]] sqlite3* connection() const { return connection_; }
  Result<Statement> prepare(std::string_view sql) const {
    return Statement::prepare(connection_, sql);
  }

  /// kConflict unless the row says what we know. Within a transaction, to mean anything later.
  [[nodiscard]] Result<void> check() const;

  /// Runs `body` in a write transaction of its own.
  Result<void> write(auto body) const {
    TRIBUTARY_TRY(execute(connection_, "BEGIN IMMEDIATE"));
    Result<void> done = body();
    if (done) done = execute(connection_, "COMMIT");
    if (!done) roll_back();
    return done;
  }

  /// write() of a leader, which stamps the origin's row: that is what must stand there next time.
  Result<void> leading(auto body) {
    LeadMark left;
    Result<void> done = write([&]() -> Result<void> {
      TRIBUTARY_TRY(body());
      TRIBUTARY_ASSIGN(left, stamp());
      return {};
    });
    if (done) lead = left;
    return done;
  }

  /// leading(), where check() holds, and the file is still the one at its path.
  Result<void> fenced(auto body) {
    TRIBUTARY_TRY(file_.check());
    return leading([&]() -> Result<void> {
      TRIBUTARY_TRY(check());
      return body();
    });
  }

  /// Runs `body`, which writes what may be lost when the power fails until sync() has returned:
  /// its commits do not wait for the disk.
  Result<void> relaxed(auto body) const {
    TRIBUTARY_TRY(execute(connection_, "PRAGMA synchronous = NORMAL"));
    Result<void> done = body();
    if (auto restored = execute(connection_, "PRAGMA synchronous = FULL"); done && !restored) {
      return restored;
    }
    return done;
  }

  /// In write-ahead logging: everything that was committed before is on the disk afterwards.
  /// kTransient when nobody can tell.
  [[nodiscard]] Result<void> sync() const;

  void roll_back() const;

 private:
  [[nodiscard]] Result<LeadMark> read(std::string_view sql) const;
  [[nodiscard]] Result<LeadMark> stamp() const;

  sqlite3* connection_;
  const OpenFile& file_;
};

}  // namespace tributary::sqlite

/// Prepared statements sent several at a time, in one round trip, with a deadline (libpq's pipeline
/// mode). Statements are prepared when they are first queued, in the same round trip. After an
/// error the server skips the rest of the queue, COMMIT included.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <vector>

#include <tributary/base/result.h>

#include "base/clock.h"
#include "connectors/outbox/postgres/params.h"
#include "connectors/outbox/postgres/session.h"

namespace tributary::postgres {

/// A statement and the name it is prepared under; lives as long as the program.
struct Statement {
  const char* name;
  const char* sql;
};

/// Not thread-safe.
class Pipeline {
 public:
  [[nodiscard]] static Result<Pipeline> open(ConnectionHandle connection, Millis deadline);

  /// `params` are copied before it returns.
  void queue(const Statement& statement, const Params& params = {});
  /// Sends what is queued and gives the results in its order. On the first failure: its error; the
  /// transaction, if one is open, has to be rolled back. kTransient when nothing has moved on the
  /// connection for as long as the deadline, which is dead then; a large answer over a slow link
  /// may take longer.
  [[nodiscard]] Result<std::vector<ResultHandle>> flush() { return flush(deadline_); }
  /// With a deadline of its own, for a statement that works long before it answers.
  [[nodiscard]] Result<std::vector<ResultHandle>> flush(Millis deadline);

  [[nodiscard]] bool dead() const { return connection_ == nullptr; }
  /// Drops the connection, and with it the lease and any open transaction.
  void close() { connection_.reset(); }

 private:
  Pipeline(ConnectionHandle connection, Millis deadline)
      : connection_(std::move(connection)), deadline_(deadline) {}

  /// Waits until a result can be read without blocking.
  Result<void> await(Millis deadline);
  Result<std::vector<ResultHandle>> collect(Millis deadline);
  /// Takes one result over into `results` or, the first time, `failure`.
  void accept(ResultHandle result, std::vector<ResultHandle>& results,
              std::optional<Error>& failure);

  struct Sent {
    const Statement* statement = nullptr;
    bool preparing = false;
  };
  ConnectionHandle connection_;
  Millis deadline_;
  std::vector<Sent> sent_;
  std::size_t answered_ = 0;
  bool send_failed_ = false;
  std::set<const char*> prepared_;
};

}  // namespace tributary::postgres

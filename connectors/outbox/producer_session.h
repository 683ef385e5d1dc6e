/// A producer's own connection to an origin's database, for programs that have no connection of
/// their own to bring (the command line). A service uses tributary/outbox/postgres.h or
/// tributary/outbox/sqlite.h instead.
#pragma once

#include <tributary/base/result.h>
#include <tributary/outbox/transaction.h>

namespace tributary {

/// One thread.
class ProducerSession {
 public:
  virtual ~ProducerSession() = default;

  /// Opens a transaction; outbox().commit() or rollback() ends it.
  virtual Result<void> begin() = 0;
  /// Whether one was open until then: if so, nothing of it will ever be seen.
  virtual Result<bool> rollback() = 0;
  [[nodiscard]] virtual OutboxConnection& outbox() = 0;
};

}  // namespace tributary

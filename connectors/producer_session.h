/// A producer's own database connection, opened by URL: for `tributary write`, tests and benchmarks.
/// Not for: services, which pass the connection they already have to open_outbox().
#pragma once

#include <tributary/base/result.h>
#include <tributary/outbox/transaction.h>

namespace tributary {

/// Thread rule: one thread at a time. After kTransient: open a new one.
class ProducerSession {
 public:
  virtual ~ProducerSession() = default;

  virtual Result<void> begin() = 0;
  /// For Transaction; its commit() ends what begin() opened.
  virtual OutboxConnection& outbox() = 0;
  /// Harmless when no transaction is open.
  virtual Result<void> rollback() = 0;
};

}  // namespace tributary

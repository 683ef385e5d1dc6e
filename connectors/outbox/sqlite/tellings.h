/// What the relay tells the outbox again and again: confirmations, and the context for writers.
/// It waits for a moment when services read nothing, and rides on a seal that comes first, since
/// every write of the relay may end a service's transaction (see quiet.h). What changes nothing
/// for writers is never written by itself: an idle outbox stays as it is.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/sqlite/fence.h"
#include "connectors/outbox/sqlite/quiet.h"
#include "connectors/outbox/sqlite/told_contexts.h"

namespace tributary::sqlite {

/// Borrows fence and quiet. Not thread-safe.
class Tellings {
 public:
  Tellings(Fence& fence, QuietMoment& quiet) : fence_(fence), quiet_(quiet) {}

  /// Remember; settle() writes.
  void confirm(ActorId actor, Seq seq, Micros retention);
  Result<void> context(const WriterContext& context, Hlc hlc);

  /// Writes what is due, when it is quiet or has waited long enough.
  Result<void> settle();
  /// Writes all there is.
  Result<void> flush();
  /// Within a write transaction: writes all there is. written() once it has been committed.
  Result<void> write();
  void written();
  /// Of a new lead: forgets what was remembered.
  void clear();

 private:
  struct Context {
    WriterContext seen;
    VersionVector told;  ///< the join of all watermarks there were
    Hlc hlc;
  };

  Result<Context> read_context() const;
  Result<void> write_context();
  [[nodiscard]] bool matters(const Context& stored) const;

  Fence& fence_;
  QuietMoment& quiet_;
  ContextSweep sweep_;
  std::map<ActorId, Seq> confirmed_;
  Micros retention_{0};
  std::optional<Context> stored_;   ///< as we know it
  std::optional<Context> context_;  ///< to write
  std::optional<Micros> due_;       ///< when to write though it is not quiet
};

}  // namespace tributary::sqlite

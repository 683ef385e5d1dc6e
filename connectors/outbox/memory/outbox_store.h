/// An outbox database in memory, for tests and the simulation: what is committed survives, what is
/// not is lost with the session that began it. Deterministic: ids and transaction ids count up, the
/// time is the given clock's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>

#include "base/clock.h"
#include "connectors/outbox/outbox_store.h"
#include "connectors/outbox/producer_session.h"

namespace tributary::memory {

struct OutboxDisk;
struct OutboxShared;

/// What a restore goes back to.
class OutboxBackup {
 public:
  explicit OutboxBackup(std::shared_ptr<const OutboxDisk> disk) : disk_(std::move(disk)) {}
  [[nodiscard]] const OutboxDisk& disk() const { return *disk_; }

 private:
  std::shared_ptr<const OutboxDisk> disk_;
};

/// The database. Thread-safe; its stores and sessions are not, and may outlive it.
class MemoryOutbox {
 public:
  /// Asked before (`after` false) and after every operation of a store or session, by the name of
  /// its function: an error given before keeps the operation from happening; one given after is
  /// returned although it happened. It must not call the outbox.
  using Fault = std::function<std::optional<Error>(std::string_view operation, bool after)>;

  /// `clock` is borrowed and must outlive every store and session.
  MemoryOutbox(OriginName origin, Schema schema, const Clock& clock);

  [[nodiscard]] std::unique_ptr<OutboxStore> open_store();
  [[nodiscard]] std::unique_ptr<ProducerSession> open_session();

  void set_fault(Fault fault);
  /// Kills every store and session: they answer kTransient from now on, what they had not
  /// committed is lost and the lease is free.
  void disconnect_all();

  /// What `topology apply` does: new keyspaces and limits for sessions opened from now on.
  void apply(Schema schema);
  /// Transactions share a number until a seal ends it, and a restore takes numbers back: as in
  /// SQLite, when writers do not end them.
  void share_numbers();
  /// The type and operation are known to the tables, whatever this program knows.
  void know_operation(std::string type, std::string operation);

  [[nodiscard]] OutboxBackup backup() const;
  /// disconnect_all(), then the state of `backup`. A `noticed` restore changes the database's
  /// identity, as a restored PostgreSQL does.
  void restore(const OutboxBackup& backup, bool noticed);
  /// The same under running stores and sessions: they stay connected and are told nothing.
  void restore_in_place(const OutboxBackup& backup);
  /// What writers are told that they have seen, and so the context of what they write.
  [[nodiscard]] WriterContext told() const;
  /// UPDATE tributary_batch SET confirmed_at = NULL: all that is retained is published again.
  void publish_again();
  /// Batches retained, and those not yet confirmed.
  [[nodiscard]] std::size_t batches() const;

 private:
  std::shared_ptr<OutboxShared> shared_;
};

}  // namespace tributary::memory

/// The producer API: changes that commit or roll back with the caller's own database transaction.
///
///     auto outbox = tributary::postgres::open_outbox(connection);   // once per connection
///     // ... BEGIN; INSERT INTO sales ... (the service's own statements)
///     tributary::Transaction tx(**outbox);
///     tx.write(counter::add("stock:85123A", -6));
///     tx.write(set::add("buyers:85123A", "13047"));
///     auto done = tx.commit();                                      // inserts, then COMMIT
///
/// Not for: publishing. Nothing here touches a broker or a replica.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/crdt/change.h>
#include <tributary/crdt/schema.h>

namespace tributary {

/// Port: one database connection of a service, with the outbox tables in that database.
/// Implemented for PostgreSQL (tributary/outbox/postgres.h), SQLite (tributary/outbox/sqlite.h) and
/// memory. Thread rule: that of the connection.
class OutboxConnection {
 public:
  virtual ~OutboxConnection() = default;

  /// kInvalid for a change that is legal by the schema, but that this database cannot hold.
  [[nodiscard]] virtual Result<void> accepts(const Change& /*change*/) const { return {}; }
  /// Keyspaces and limits as `tributary topology apply` stored them in this database.
  [[nodiscard]] virtual const Schema& schema() const = 0;
  /// Running totals, sealed or pending, of those counters among `keys` (key, field) that are close
  /// to overflow. None where insert() itself refuses what would overflow.
  virtual Result<std::vector<std::pair<std::pair<std::string, std::string>, crdt::Totals>>>
  near_overflow(std::span<const std::pair<std::string, std::string>> keys) = 0;
  /// Inserts rows in order, within the open transaction, all or none: after an error the
  /// transaction is as it was before and stays usable.
  virtual Result<void> insert(std::span<const Change> changes) = 0;
  /// Commits the open transaction. See Transaction::commit() for the errors.
  virtual Result<void> commit() = 0;
};

/// Buffers the changes of one transaction, so that they are inserted after the business rows and
/// their id order follows row-lock order. Dropping it without flush() or commit() writes nothing.
///
/// A service that works with savepoints marks them, since the buffer knows nothing of them:
///
///     // SAVEPOINT line;
///     const auto line = tx.mark();
///     // ... the line's own rows, tx.write(...), and then it cannot be delivered:
///     // ROLLBACK TO SAVEPOINT line;
///     auto done = tx.rollback_to(line);                             // its changes go along
///
/// RELEASE needs nothing here.
class Transaction {
 public:
  /// Where the buffer stood. Of this transaction only.
  class Mark {
   private:
    friend class Transaction;
    Mark(std::uint64_t number, std::size_t changes) : number_(number), changes_(changes) {}
    std::uint64_t number_;
    std::size_t changes_;
  };

  /// `connection` is borrowed and has an open transaction.
  explicit Transaction(OutboxConnection& connection) : connection_(connection) {}

  /// Checks and buffers. kInvalid, with nothing buffered, for a wrong type, a key or value that
  /// is too long or that the database cannot hold, or a counter that overflows; the database
  /// transaction stays usable.
  Result<void> write(Change change);

  /// Inserts what is buffered. For callers whose framework commits. After an error nothing was
  /// inserted, and all of it is still buffered: flush() again when it was transient, else clear()
  /// or rollback_to() and write what is right. kConflict: the transaction is gone (a full disk
  /// makes SQLite roll back by itself), try it again from its BEGIN.
  Result<void> flush();
  /// flush(), then commits the caller's transaction. When the commit itself fails, the buffer is
  /// empty, and the kind says what became of the transaction:
  ///   kConflict   rolled back, for certain (serialization, deadlock): try it again from its BEGIN
  ///   kInvalid    rolled back, or not even begun, for a reason that will not pass (a deferred
  ///               constraint of the service)
  ///   kTransient  PostgreSQL: it may or may not have happened, the connection was lost;
  ///               SQLite: busy, the transaction is still open, commit again
  Result<void> commit();

  /// Drops what is buffered, and all marks. With ROLLBACK it makes the object as good as new.
  void clear();
  /// Marks nest, as savepoints do.
  [[nodiscard]] Mark mark();
  /// Drops what was written since; marks made later end, this one stays. kInvalid, with nothing
  /// dropped, for a mark that has ended, or that is older than a flush.
  Result<void> rollback_to(const Mark& mark);

  [[nodiscard]] std::size_t size() const { return changes_.size(); }

 private:
  Result<void> check_totals();
  void drop_last();

  OutboxConnection& connection_;
  std::vector<Change> changes_;
  std::size_t bytes_ = 0;  ///< of keys, fields and values in changes_
  std::map<std::pair<std::string, std::string>, crdt::Totals> added_;
  std::vector<std::uint64_t> marks_;  ///< numbers of those that hold, growing
  std::uint64_t next_mark_ = 1;
  std::uint64_t flushed_marks_ = 0;  ///< the last that was made before a flush
};

/// Adds `amount` to `totals`; false, with nothing changed, when a total would pass INT64_MAX.
[[nodiscard]] bool accumulate(crdt::Totals& totals, std::int64_t amount);

/// From here on a counter counts as close to overflow: stored totals of such counters are kept
/// exact, and writes look at them.
inline constexpr std::int64_t kNearOverflow = std::int64_t{1} << 61;

}  // namespace tributary

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
/// Implemented for PostgreSQL (outbox/postgres.h), SQLite (outbox/sqlite.h) and memory.
/// Thread rule: that of the connection.
class OutboxConnection {
 public:
  virtual ~OutboxConnection() = default;

  /// Keyspaces and limits as `tributary topology apply` stored them in this database.
  [[nodiscard]] virtual const Schema& schema() const = 0;
  /// Running totals, sealed or pending, of those counters among `keys` (key, field) that are close
  /// to overflow. None where insert() itself refuses what would overflow.
  virtual Result<std::vector<std::pair<std::pair<std::string, std::string>, crdt::Totals>>>
  near_overflow(std::span<const std::pair<std::string, std::string>> keys) = 0;
  /// Inserts rows in order, within the open transaction, all or none: after an error the
  /// transaction is as it was before and stays usable.
  virtual Result<void> insert(std::span<const Change> changes) = 0;
  /// Commits the open transaction.
  virtual Result<void> commit() = 0;
};

/// Buffers the changes of one transaction, so that they are inserted after the business rows and
/// their id order follows row-lock order. Dropping it without flush() or commit() writes nothing.
class Transaction {
 public:
  /// `connection` is borrowed and has an open transaction.
  explicit Transaction(OutboxConnection& connection) : connection_(connection) {}

  /// Checks and buffers. kInvalid, with nothing buffered, for a wrong type, an empty key, a value
  /// over the limit or a counter that overflows; the database transaction stays usable.
  Result<void> write(Change change);

  /// Inserts what is buffered. For callers whose framework commits.
  Result<void> flush();
  /// flush(), then commits the caller's transaction.
  Result<void> commit();

  [[nodiscard]] std::size_t size() const { return changes_.size(); }

 private:
  Result<void> check_totals();

  OutboxConnection& connection_;
  std::vector<Change> changes_;
  std::size_t bytes_ = 0;  ///< of keys, fields and values in changes_
  std::map<std::pair<std::string, std::string>, crdt::Totals> added_;
};

/// Adds `amount` to `totals`; false, with nothing changed, when a total would pass INT64_MAX.
[[nodiscard]] bool accumulate(crdt::Totals& totals, std::int64_t amount);

/// From here on a counter counts as close to overflow: stored totals of such counters are kept
/// exact, and writes look at them.
inline constexpr std::int64_t kNearOverflow = std::int64_t{1} << 61;

}  // namespace tributary

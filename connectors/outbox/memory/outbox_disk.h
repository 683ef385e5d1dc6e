/// What the memory outbox keeps, shared by its stores and sessions. Not for: other folders.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "connectors/outbox/memory/outbox_store.h"

namespace tributary::memory {

/// One for all rows that have it.
using StoredContext = std::shared_ptr<const std::string>;

/// A row that owns its bytes.
struct StoredRow {
  std::int64_t id = 0;
  std::int64_t transaction = 0;
  std::string key;
  std::string type;
  std::string operation;
  std::string field;
  std::string value;
  std::int64_t amount = 0;
  StoredContext context;  ///< or none
  bool exact = false;
  Hlc hlc;
  std::uint64_t tag = 0;
  std::int64_t written_id = 0;  ///< before a retry; 0: as id

  [[nodiscard]] OutboxRow view() const {
    return {.id = id,
            .transaction = transaction,
            .key = key,
            .type = type,
            .operation = operation,
            .field = field,
            .value = value,
            .amount = amount,
            .context = context == nullptr ? std::string_view{} : std::string_view(*context),
            .exact = exact,
            .hlc = hlc,
            .tag = tag,
            .written_id = written_id};
  }
  [[nodiscard]] std::int64_t first_id() const { return written_id != 0 ? written_id : id; }
};

struct ParkedStoredRow {
  std::int64_t position = 0;
  StoredRow row;
  std::string reason;
  Micros parked_at{0};
};

struct StoredBatch {
  SealedBatch batch;
  std::optional<Micros> confirmed_at;
};

/// What the origin's row must still say; see *fenced* in the port.
struct OutboxLead {
  std::uint64_t epoch = 0;
  std::optional<ActorId> actor;
  Seq head;
  std::uint64_t stamp = 0;  ///< of the leader's last write

  bool operator==(const OutboxLead&) const = default;
};

/// The tables.
struct OutboxDisk {
  Schema schema;
  std::vector<Keyspace> keyspaces_ever;
  std::vector<std::pair<std::string, std::string>> operations;  ///< beyond this program's own
  std::map<std::int64_t, StoredRow> rows;                       ///< committed, by id
  std::vector<StoredBatch> batches;                             ///< in sealing order
  std::vector<ParkedStoredRow> parked;                          ///< in the order of positions
  std::vector<DiscardRecord> discarded;                         ///< in the order of positions
  std::map<std::pair<std::string, std::string>, crdt::Totals> counters;
  OriginRecord origin;  ///< but for current_identity
  std::string identity;
  std::uint64_t stamp = 0;  ///< of the leader's last write
  StoredContext context = std::make_shared<std::string>(WriterContext{}.bytes());  ///< of now
  VersionVector told;
  Hlc replica_hlc;
  std::int64_t next_id = 1;
  std::int64_t next_transaction = 1;
  bool shared_numbers = false;     ///< see MemoryOutbox::share_numbers()
  std::int64_t next_position = 1;  ///< of batches, parked and discarded rows

  /// A batch that follows the head, which it is then.
  void store(const SealedBatch& batch) {
    CHECK(batch.first_seq == origin.head_seq.next());
    origin.head_seq = batch.last_seq;
    origin.history = history_of(batch.bytes);
    batches.push_back({batch, std::nullopt});
    batches.back().batch.position = next_position++;
  }
  [[nodiscard]] OutboxLead lead() const {
    return {origin.leader_epoch, origin.actor, origin.head_seq, stamp};
  }
};

struct OutboxShared {
  explicit OutboxShared(const Clock& database_clock) : clock(database_clock) {}

  std::mutex mutex;  ///< guards everything below
  const Clock& clock;
  OutboxDisk disk;
  MemoryOutbox::Fault fault;
  const void* lease_holder = nullptr;
  std::uint64_t incarnation = 0;  ///< raised by disconnect_all()
  std::uint64_t identities = 0;
  std::uint64_t stamps = 0;  ///< drawn so far; no restore takes one back
  std::uint64_t tags = 0;    ///< the same
};

/// The part a store and a session have in common: a link that can be cut, and the fault hook.
class OutboxLink {
 public:
  explicit OutboxLink(std::shared_ptr<OutboxShared> shared)
      : shared_(std::move(shared)), incarnation_(shared_->incarnation) {}

  [[nodiscard]] bool alive() const { return incarnation_ == shared_->incarnation; }
  [[nodiscard]] OutboxShared& shared() const { return *shared_; }
  [[nodiscard]] OutboxDisk& disk() const { return shared_->disk; }

  /// Runs `body` on the locked database, between the fault hook's two chances.
  template <typename Body>
  auto call(std::string_view operation, Body body) -> decltype(body()) {
    const std::lock_guard lock(shared_->mutex);
    if (!alive()) return fail(ErrorKind::kTransient, "the memory outbox was disconnected");
    if (auto error = fault(operation, false)) return fail(std::move(*error));
    auto result = body();
    if (!result) return result;
    if (auto error = fault(operation, true)) return fail(std::move(*error));
    return result;
  }

 private:
  std::optional<Error> fault(std::string_view operation, bool after) const {
    return shared_->fault ? shared_->fault(operation, after) : std::nullopt;
  }

  std::shared_ptr<OutboxShared> shared_;
  std::uint64_t incarnation_;
};

}  // namespace tributary::memory

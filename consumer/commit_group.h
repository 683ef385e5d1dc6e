/// Joins a group of deltas into the replica: loads the state of the touched keys, joins in memory,
/// and tells what a commit is to write and what is to be set aside. Not for: deciding which batches
/// may be applied (see planner.h), or how much may be set aside (see parking.h).
///
/// A key that is blocked, or that a delta cannot be joined to, takes no more deltas: the rest of
/// the group queues up behind. Deltas that must never be joined are set aside beside their key,
/// which goes on.
///
/// A key holds all changes of one type and no others, in whatever order origins come: of the type
/// that its keyspace gives it; where no keyspace matches, of the first by name among those that
/// came. Changes of any other type go beside it. When a key's type becomes another one, the key is
/// made anew from the changelogs.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/crdt/schema.h>
#include <tributary/crdt/type.h>

#include "connectors/replica/replica_store.h"
#include "outbox/batch/batch.h"

namespace tributary {

/// One delta to join, with its batch, which must outlive the group.
struct DeltaRef {
  const Batch* batch = nullptr;
  const Delta* delta = nullptr;
};

/// A delta that is not joined, and why.
struct AsideDelta {
  DeltaRef ref;
  std::string reason;
};

/// A key whose deltas, from one on, are set aside.
struct AsideKey {
  std::string_view key;
  const KeyBlock* block = nullptr;  ///< as loaded
  bool incomplete = false;          ///< its state is not to be trusted: it has to be rebuilt
  std::string reason;
  std::vector<AsideDelta> deltas = {};
};

/// Not thread-safe; lives for one commit.
class CommitGroup {
 public:
  /// `schema` outlives the group.
  explicit CommitGroup(const Schema& schema) : schema_(&schema) {}

  /// Makes room for that many deltas.
  void reserve(std::size_t deltas);
  /// Adds a delta; deltas of one actor come in seq order.
  void add(DeltaRef ref);
  /// Adds a delta that must never be obeyed.
  void add_beside(DeltaRef ref, std::string reason) {
    refused_.push_back({ref, std::move(reason)});
  }
  /// Views that made a commit fail. The next load() and join() make them whole or spare them, and
  /// set aside keys that may not be touched.
  void found(std::span<const ChangedView> views);

  /// Loads what the deltas touch. A later call forgets what an earlier one loaded.
  Result<void> load(ReplicaStore& store);
  /// Joins what can be joined, advancing `watermark` batch by batch as the deltas come.
  void join(VersionVector watermark);

  // Valid until the next load():
  [[nodiscard]] std::span<const KeyCommit> commits() const { return commits_; }
  [[nodiscard]] std::span<const AsideKey> aside() const { return aside_; }
  [[nodiscard]] std::span<const AsideDelta> beside() const { return beside_; }
  [[nodiscard]] std::vector<std::pair<std::string_view, crdt::ViewKind>> views() const;
  [[nodiscard]] bool empty() const { return items_.empty() && refused_.empty(); }
  [[nodiscard]] bool any_deferring() const { return any_deferring_; }

 private:
  struct Item {
    DeltaRef ref;
    std::size_t slot = 0;
    const crdt::Type* type = nullptr;  ///< null: not known to this version
    std::string refused = {};          ///< why it cannot be joined by this version; empty: it can
  };
  /// A key, beside its entries in loads_ and loaded_: what one step needs lies close together.
  struct Slot {
    std::string_view keyspace_type;    ///< empty: no keyspace matches
    const crdt::Type* type = nullptr;  ///< of the first delta that can be joined
    bool closed = false;               ///< a delta was refused: nothing behind it is joined
    // What a failed commit told of the view:
    bool whole = false;
    bool stateless = false;
    bool refused = false;
    std::string foreign = {};
    // Of this attempt:
    bool deferring = false;
    bool joined = false;
    std::optional<std::size_t> aside = {};  ///< in aside_
    crdt::ViewEdits edits = {};
  };

  std::size_t slot_for(std::string_view key);
  void start(std::size_t slot);
  void set_aside(std::size_t slot, std::string reason, bool incomplete);
  /// False when the item was put beside its key or set aside.
  bool joinable(const Item& item);
  /// False: sets the key aside, from this item on.
  bool refuse(const Item& item, const std::string& reason, bool incomplete);
  void join_item(const Item& item, const VersionVector& watermark);
  void collect_commits();

  const Schema* schema_;
  std::vector<Item> items_;
  std::vector<AsideDelta> refused_;
  std::vector<Slot> slots_;
  std::vector<KeyLoad> loads_;     ///< of each slot
  std::vector<LoadedKey> loaded_;  ///< of each slot, once they are loaded
  std::unordered_map<std::string_view, std::size_t> slot_of_;
  std::vector<KeyCommit> commits_;
  std::vector<AsideKey> aside_;
  std::vector<AsideDelta> beside_;
  bool any_deferring_ = false;
};

/// Why a key is set aside that the store's user may not touch.
[[nodiscard]] std::string refused_reason(const Schema& schema, std::string_view key);

/// The type that the first keyspace matching `key` gives it; empty when none matches.
[[nodiscard]] std::string_view keyspace_type(const Schema& schema, std::string_view key);

/// Whether the state of a key is of another type than its keyspace's (empty: no keyspace matches).
[[nodiscard]] inline bool other_type(std::string_view held, std::string_view keyspace) {
  return !held.empty() && !keyspace.empty() && held != keyspace;
}

/// The edits that make the whole view of a complete state anew.
[[nodiscard]] crdt::ViewEdits whole_view(const crdt::Type& type, const crdt::State& state);

// Reasons that retries recognise.
inline constexpr std::string_view kUnknownType = "type not known to this version: ";
inline constexpr std::string_view kWrongType = "not of its keyspace's type: ";
/// The key's state is of another type than its keyspace's, and it has to be decided whether it may
/// become one of that: by a person, or by a change of that type.
inline constexpr std::string_view kOtherType = "the key is not of its keyspace's type: ";
/// It is, and the key is to be made anew with its keyspace's.
inline constexpr std::string_view kRetyped = "its keyspace has another type by now: ";
[[nodiscard]] std::string retyped_reason(std::string_view held, std::string_view keyspace);

}  // namespace tributary

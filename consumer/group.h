/// Joins a group of deltas into the replica: loads the state of the touched keys, joins in memory,
/// and builds one commit. Not for: deciding which batches may be applied (see applier.h).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/connectors/replica_store.h>
#include <tributary/crdt/type.h>
#include <tributary/outbox/batch.h>

namespace tributary {

/// One delta to join, with its batch, which must outlive the group.
struct DeltaRef {
  const Batch* batch = nullptr;
  const Delta* delta = nullptr;
};

/// A delta that cannot be joined, and why.
struct Refused {
  DeltaRef ref;
  std::string reason;
};

/// Not thread-safe; lives for one commit.
class Group {
 public:
  /// Adds a delta; deltas of one actor come in seq order. Refuses unknown types and bad bytes.
  void add(DeltaRef ref);
  /// Drops all deltas of these keys into refused().
  void refuse_keys(std::span<const ForeignView> views);

  /// Loads what the deltas touch. A later call forgets what an earlier one loaded.
  Result<void> load(ReplicaStore& store);
  /// Joins everything, advancing `watermark` batch by batch as the deltas come.
  void join(VersionVector watermark);

  /// Valid until the next load().
  [[nodiscard]] std::span<const KeyCommit> commits() const { return commits_; }
  [[nodiscard]] const std::vector<Refused>& refused() const { return refused_; }
  [[nodiscard]] std::vector<std::pair<std::string_view, crdt::ViewKind>> views() const;
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool any_deferring() const { return any_deferring_; }

 private:
  struct Item {
    DeltaRef ref;
    std::size_t slot = 0;
  };
  struct Slot {
    std::string_view key;
    const crdt::Type* type = nullptr;
    crdt::FieldSelection fields;
    LoadedKey loaded = {};
    crdt::ViewEdits edits = {};
    bool deferring = false;
    bool joined = false;
    bool refused = false;
  };
  void refuse(const Item& item, std::string reason);
  void refuse_wrong_types();

  std::vector<Item> items_;
  std::vector<Slot> slots_;
  std::unordered_map<std::string_view, std::size_t> slot_of_;
  std::vector<KeyCommit> commits_;
  std::vector<Refused> refused_;
  bool any_deferring_ = false;
};

}  // namespace tributary

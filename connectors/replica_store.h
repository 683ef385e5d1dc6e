/// Port: a region's replica: views for readers, state beside them, and the progress of the
/// consumer. Implemented by redis and memory; tests/conformance/replica_store decides whether it is
/// right.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/connectors/changelog.h>
#include <tributary/crdt/hlc.h>
#include <tributary/crdt/state.h>
#include <tributary/crdt/type.h>
#include <tributary/crdt/version_vector.h>
#include <tributary/crdt/view.h>

namespace tributary {

/// What the replica knows of one origin. Lives in the replica, with the data.
struct OriginProgress {
  ActorId actor;  ///< current actor of the origin
  Offset offset;  ///< of the last changelog message applied; a hint where to resume
  Seq head_seq;   ///< the origin's head as told by the last batch or heartbeat
  Hlc hlc;        ///< of the last batch or heartbeat
  bool operator==(const OriginProgress&) const = default;
};

struct ReplicaProgress {
  VersionVector watermark;
  Hlc hlc;  ///< the largest HLC in the replica: what a writer here may have seen
  std::map<OriginName, OriginProgress> origins;
};

/// A key to load and which of its state fields.
struct KeyLoad {
  std::string_view key;
  crdt::FieldSelection fields;
};

/// A key as loaded. An absent key has an empty version and no type, and its fields have no values.
struct LoadedKey {
  std::string version;  ///< opaque; changes with every commit to the key
  std::string type;
  crdt::State state;  ///< holds the selected fields
};

/// One key's part of a commit.
struct KeyCommit {
  std::string_view key;
  const crdt::Type* type = nullptr;
  std::string_view expected_version;       ///< as loaded
  const crdt::State* state = nullptr;      ///< its changed fields are written
  const crdt::ViewEdits* edits = nullptr;  ///< applied to the view in order
  bool deferring = false;                  ///< listed by deferring_keys() from now on, or no more
};

/// A change or batch set aside, with what is needed to show it and to apply it again.
struct Parked {
  std::string id;  ///< unique within the replica: "<origin>/<actor hex>/<last seq>/<n>"
  OriginName origin;
  ActorId actor;
  Seq first_seq;    ///< of its batch; 0: not known
  Seq last_seq;     ///< of its batch; 0: not known
  std::string key;  ///< empty: the whole message
  std::string reason;
  std::string bytes;  ///< the message (outbox/batch.h); for one key: a batch with its delta only
  Micros parked_at{0};
};

/// One actor's watermark moves from `from` to `to`.
struct WatermarkStep {
  ActorId actor;
  Seq from;
  Seq to;
};

/// Everything becomes visible at once, or nothing does.
struct ReplicaCommit {
  std::span<const WatermarkStep> steps;
  std::span<const KeyCommit> keys;
  std::span<const std::pair<OriginName, OriginProgress>> progress;
  std::span<const Parked> parked;         ///< to set aside
  std::span<const std::string> unparked;  ///< ids to forget
  Hlc hlc;                                ///< raises the replica's hlc
};

/// A view key that somebody else made with another Redis type.
struct ForeignView {
  std::string key;
  std::string found;
};

/// A key for people: view, type and context.
struct KeyReading {
  std::string type;  ///< CRDT type; empty when the key has no state
  crdt::ViewKind view = crdt::ViewKind::kString;
  bool exists = false;  ///< the view exists
  /// string: one value · set: members · hash and sorted set: name, value pairs · list: values;
  /// sets and hashes sorted by name.
  std::vector<std::pair<std::string, std::string>> values;
  VersionVector context;  ///< the replica's watermark, read together with the view
};

/// Thread rule: one thread at a time. Errors: kTransient when the replica cannot be reached,
/// kConflict when a precondition does not hold, kFatal when it can never work (e.g. WRONGPASS).
class ReplicaStore {
 public:
  virtual ~ReplicaStore() = default;

  virtual Result<ReplicaProgress> progress() = 0;
  /// Answers in the order of `loads`.
  virtual Result<std::vector<LoadedKey>> load(std::span<const KeyLoad> loads) = 0;
  /// Atomic. kConflict, with nothing written, when a key's version, a watermark step's `from`, or
  /// a view's Redis type is not as expected; load again and retry. When a view's type was the
  /// cause, foreign_views() tells it.
  virtual Result<void> commit(const ReplicaCommit& commit) = 0;
  /// The keys whose view has a Redis type that edits of `kind` cannot go to, of those given.
  virtual Result<std::vector<ForeignView>> foreign_views(
      std::span<const std::pair<std::string_view, crdt::ViewKind>> views) = 0;

  /// Keys whose state holds deferred removes, at most `limit`.
  virtual Result<std::vector<std::string>> deferring_keys(std::size_t limit) = 0;

  virtual Result<KeyReading> read(std::string_view key) = 0;
  virtual Result<std::vector<Parked>> parked() = 0;
  virtual Result<std::uint64_t> parked_count() = 0;
};

}  // namespace tributary

/// Port: a region's replica: views for readers, state beside them, and the progress of the
/// consumer. Implemented by redis and memory; tests/conformance/replica_store decides whether it is
/// right.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/hlc.h>
#include <tributary/crdt/state.h>
#include <tributary/crdt/type.h>
#include <tributary/crdt/version_vector.h>
#include <tributary/crdt/view.h>

#include "connectors/changelog/changelog.h"

namespace tributary {

/// What the replica knows of one origin. Lives in the replica, with the data.
struct OriginProgress {
  ActorId actor;               ///< current actor of the origin
  Offset offset;               ///< of the last changelog message applied; a hint where to resume
  Seq head_seq;                ///< the origin's head as told by the last batch or heartbeat
  Hlc hlc;                     ///< of the last batch or heartbeat
  HistoryDigest history = {};  ///< of the actor, up to its watermark
  bool operator==(const OriginProgress&) const = default;
};

/// Whose an actor is. Bound by its first message, for good; an actor that another one has followed
/// is retired: what comes of it behind `final_seq` is void.
struct ActorRecord {
  OriginName origin;
  std::optional<Seq> final_seq;
  bool operator==(const ActorRecord&) const = default;
};

struct ReplicaProgress {
  VersionVector watermark;
  Hlc hlc;  ///< the largest HLC in the replica: what a writer here may have seen
  std::map<OriginName, OriginProgress> origins;
  std::map<ActorId, ActorRecord> actors;
  std::string token;  ///< names this very state of the replica; empty: it was never written to
  /// Keys of commits that stopped half-way (a server that refused a command in their midst): they
  /// hold some of the commit, and their views have to be made whole. Until a commit names them in
  /// `finished`.
  std::vector<std::string> unfinished;
  /// Fields of ours that cannot be read, one sentence each: which, what follows, what to do. What
  /// they held is absent here, or taken from what stands beside it.
  std::vector<std::string> damage = {};
  /// Actors of which nobody can tell any more how much was applied, or whether they are retired,
  /// and why. Nothing that they or those who followed them publish may be applied.
  std::map<ActorId, std::string> doubtful = {};
};

/// What the replica knows of some actors, and how much it holds of all, of one moment.
struct ProgressSample {
  std::string token;
  VersionVector watermark;
  std::map<ActorId, ActorRecord> actors;
  // With what is not of an actor, or cannot be read:
  std::uint64_t watermark_size = 0;
  std::uint64_t actors_size = 0;
};

/// What readers of this replica may have seen, and so a writer beside it: the watermark, but less
/// of it for keys with parked changes.
struct ReplicaContext {
  VersionVector watermark;
  Hlc hlc;
  /// Blocked key -> what the key itself has seen of the actors that have changes parked for it.
  /// When too many keys are blocked, `watermark` is lowered for all keys instead.
  std::map<std::string, LoweredSeqs, std::less<>> lowered;
};

/// Why and since when changes to a key are set aside. While a key is blocked, all later changes to
/// it queue up behind the first, so that a retry meets the key as it was.
struct KeyBlock {
  std::string mark;  ///< opaque; another one with every commit of the block; empty: not blocked
  /// Of each actor with changes set aside: the last seq before the first of these. All that the key
  /// has seen of the actor (0: nothing); of the others it has seen what the watermark says.
  LoweredSeqs before;
  std::uint64_t bodies = 0;  ///< changes parked with their bytes
  /// Changes were left out for good (too many, or the state is lost): only the changelogs have
  /// them, and the key has to be rebuilt from there.
  bool incomplete = false;
  std::string reason;         ///< of the first
  std::uint64_t retries = 0;  ///< that persons asked for: they end every wait for the next look
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
  KeyBlock block;
  /// What is wrong with what is stored for the key (a stray key in the place of its state, bytes
  /// that are no state of its type); empty: nothing. The state of a damaged key holds nothing.
  std::string damage;
  /// The store's user may not touch the key: nothing of it was loaded but its block, and it looks
  /// absent.
  bool refused = false;
};

/// One key's part of a commit.
struct KeyCommit {
  std::string_view key;
  const crdt::Type* type = nullptr;
  std::string_view expected_version;       ///< as loaded
  const crdt::State* state = nullptr;      ///< its changed fields are written
  const crdt::ViewEdits* edits = nullptr;  ///< applied to the view in order
  bool deferring = false;                  ///< listed by deferring_keys() from now on, or no more
  bool whole = false;  ///< the edits, a DropView first, make the whole view anew: it may be as it
                       ///< is. Otherwise it must be there as earlier commits left it (its Redis
                       ///< type; of sets, hashes, sorted sets and lists the number of members,
                       ///< too), and must not be there when the key has no state
  bool discard_damage = false;  ///< whatever stands in the place of the state is dropped first, and
                                ///< of the view, too (with `whole`)
};

/// A key's block, before and after a commit.
struct BlockCommit {
  std::string_view key;
  std::string_view expected_mark;  ///< as loaded
  std::optional<KeyBlock> next;    ///< its mark is the store's to choose; absent: blocked no more
};

/// A change or batch set aside, with what is needed to show it and to apply it again.
struct ParkedEntry {
  std::string id;  ///< unique within the replica, see parked_id(); for a message
                   ///< "<origin>/message/<offset>"
  OriginName origin;
  ActorId actor;
  Seq first_seq;    ///< of its batch; 0: not known
  Seq last_seq;     ///< of its batch; 0: not known
  std::string key;  ///< empty: the whole message
  std::string reason;
  std::string bytes;  ///< the message (outbox/batch/batch.h); one key's: a batch of its delta
  Micros parked_at{0};
};

/// One actor's watermark moves from `from` to `to`.
struct Advance {
  ActorId actor;
  Seq from;
  Seq to;
};

/// Everything becomes visible at once, or nothing does. The keys of `keys` are distinct, and so are
/// those of `blocks`. A key of `keys` must not be blocked, unless `blocks` names it, too.
struct ReplicaCommit {
  /// ReplicaProgress::token that the replica must still have: nobody but this writer has moved its
  /// progress, and it did not go back. Absent: the commit is guarded by versions and marks only,
  /// and moves no progress (a retry, a rebuilt key).
  std::optional<std::string_view> expected_token = std::nullopt;
  std::span<const Advance> advances;
  /// Actors to bind or retire.
  std::span<const std::pair<ActorId, ActorRecord>> actors = {};
  /// The watermark must not be above these seqs (actors that are not named: above nothing); null:
  /// it may be what it is.
  const VersionVector* watermark_at_most = nullptr;
  std::span<const KeyCommit> keys;
  std::span<const BlockCommit> blocks = {};
  std::span<const std::pair<OriginName, OriginProgress>> progress;
  std::span<const ParkedEntry> parked;    ///< to set aside
  std::span<const std::string> unparked;  ///< ids to forget
  /// Of these, those that the region misses from now on: discarded() tells them.
  std::span<const std::string> discarded = {};
  std::span<const std::string> regained = {};  ///< ids that discarded() tells no more
  Hlc hlc;                                     ///< raises the replica's hlc
  std::span<const std::string> finished = {};  ///< of ReplicaProgress::unfinished: put right
};

/// A view that is not as this replica's commits left it.
struct ChangedView {
  std::string key;
  std::string found;       ///< its Redis type, "none" when it is not there
  bool foreign = false;    ///< its Redis type is one that edits of the key's kind cannot go to
  bool stateless = false;  ///< it is there, but the key has no state
  bool refused = false;    ///< the store's user may not touch the key: nothing else is known
};

/// A key for people: view, type and context.
struct KeyReading {
  std::string type;  ///< CRDT type; empty when the key has no state
  crdt::ViewKind view = crdt::ViewKind::kString;
  bool exists = false;  ///< the view exists
  /// string: one value · set: members · hash and sorted set: name, value pairs · list: values;
  /// sets and hashes sorted by name.
  std::vector<std::pair<std::string, std::string>> values;
  VersionVector context;  ///< what this key has seen: the replica's watermark, read together with
                          ///< the view, lowered by what is parked for the key
  std::string problem;    ///< why the view cannot be trusted: blocked, or damaged; empty: it can
};

/// "<origin>/<actor hex>/<last seq, 20 digits>/<key>": with the key known, ids sort by (origin,
/// actor, seq).
[[nodiscard]] std::string parked_id(const OriginName& origin, ActorId actor, Seq last_seq,
                                    std::string_view key);
/// The key in an id of parked_id(); empty for a message.
[[nodiscard]] std::string_view parked_key(std::string_view id);

/// Thread rule: one thread at a time. Errors: kTransient when the replica cannot be reached,
/// kConflict when a precondition does not hold, kFatal when it can never work (e.g. WRONGPASS).
class ReplicaStore {
 public:
  virtual ~ReplicaStore() = default;

  /// Moves out of the way what another program put in the place of what the replica keeps as a
  /// whole; one sentence each: what was found, where it is now, and what follows. For the consumer,
  /// before progress(). kFatal when it may not.
  virtual Result<std::vector<std::string>> move_strays_aside() = 0;
  virtual Result<ReplicaProgress> progress() = 0;
  /// Cheap: grows with `actors`, those that are asked for, only.
  virtual Result<ProgressSample> sample(std::span<const ActorId> actors) = 0;
  /// ReplicaProgress::token alone: cheap enough to ask every second.
  virtual Result<std::string> token() = 0;
  /// Cheap: does not grow with origins or the changes that are parked.
  virtual Result<ReplicaContext> context() = 0;
  /// Answers in the order of `loads`.
  virtual Result<std::vector<LoadedKey>> load(std::span<const KeyLoad> loads) = 0;
  /// Atomic; gives the token after it (empty when none was expected). kConflict, with nothing
  /// written, when the token, a key's version or mark, a watermark, or a view is not as expected:
  /// load again and retry. When a view was the cause, changed_views() tells it. So it is, and does,
  /// when the store's user may not touch a key.
  virtual Result<std::string> commit(const ReplicaCommit& commit) = 0;
  /// Of the keys given, with the kind of their views: those whose view a commit that is not `whole`
  /// would refuse, and those that the user may not touch.
  virtual Result<std::vector<ChangedView>> changed_views(
      std::span<const std::pair<std::string_view, crdt::ViewKind>> views) = 0;

  /// Keys whose state holds deferred removes, at most `limit`.
  virtual Result<std::vector<std::string>> deferring_keys(std::size_t limit) = 0;

  virtual Result<KeyReading> read(std::string_view key) = 0;
  /// What is parked, in the order of ids behind `after` (not in that of time), at most `limit`.
  virtual Result<std::vector<ParkedEntry>> parked(std::string_view after, std::size_t limit) = 0;
  /// As parked(), but only which there are and how long they are, about.
  struct ParkedSize {
    std::string id;
    std::uint64_t bytes = 0;
  };
  virtual Result<std::vector<ParkedSize>> parked_sizes(std::string_view after,
                                                       std::size_t limit) = 0;
  /// What is parked for one key, in the order of ids, at most `limit`.
  virtual Result<std::vector<ParkedEntry>> parked_for(std::string_view key, std::size_t limit) = 0;
  /// Changes and messages parked with their bytes, plus blocked keys that are incomplete; never
  /// fewer than there are blocked keys.
  virtual Result<std::uint64_t> parked_count() = 0;
  /// Ids of the changes that persons have given up in this region, in order.
  virtual Result<std::vector<std::string>> discarded() = 0;
  /// Blocked keys, in key order behind `after`, at most `limit`.
  virtual Result<std::vector<std::pair<std::string, KeyBlock>>> blocked(std::string_view after,
                                                                        std::size_t limit) = 0;

  /// A step of a walk over all keys that have state, for a slow check of their views. `cursor` is
  /// empty at first and where to go on afterwards; empty again: the walk is done. About `limit`
  /// keys a step, or fewer, or none; some perhaps twice.
  struct Walk {
    std::string cursor;
    std::vector<std::string> keys;
  };
  virtual Result<Walk> walk(std::string_view cursor, std::size_t limit) = 0;
  /// The Redis type ("none": not there) and the content of a view, as in KeyReading, of views with
  /// at most `members` members and kMostViewBytes; of larger ones no values. Read piece by piece:
  /// while the state's version stays the same, no commit was in between. kPoison when the user may
  /// not touch the key.
  static constexpr std::size_t kMostViewBytes = std::size_t{16} << 20;
  struct ViewContent {
    std::string found;
    std::size_t size = 0;
    std::vector<std::pair<std::string, std::string>> values;
    bool whole = false;  ///< the values are all that there are
  };
  virtual Result<ViewContent> view(std::string_view key, std::size_t members) = 0;

  /// Says that the consumer of `region` writes here, for `time` from now. kFatal while that of
  /// another region says so: two regions must not share a replica. What a copy holds of its
  /// source's consumer is over after its time.
  virtual Result<void> claim(const RegionName& region, Millis time) = 0;
  /// Whose consumer writes here; nullopt: none has said so of late.
  virtual Result<std::optional<RegionName>> claimed_by() = 0;

  /// What an operator should change about this server, one sentence each: an evicting
  /// maxmemory-policy, a command that the user may not run (a commit would stop half-way; kFatal is
  /// given by open instead when one is missing that every commit needs).
  virtual Result<std::vector<std::string>> warnings() = 0;
};

/// What is wrong when the replica of `region` is claimed by the consumer of `other`, and what to
/// do.
[[nodiscard]] std::string shared_replica(const RegionName& region, const RegionName& other);

/// Where the replica stands; kTransient while nobody can tell what of an actor was applied.
[[nodiscard]] Result<ReplicaProgress> certain_progress(ReplicaStore& store);

}  // namespace tributary

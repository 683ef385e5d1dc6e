/// A batch in memory, and its codec (outbox/batch/batch.proto). Bytes from outside are met only
/// here and in the types' touched().
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/hlc.h>
#include <tributary/crdt/type.h>
#include <tributary/crdt/version_vector.h>

namespace tributary {

/// A type by its registered name, looked up once.
struct NamedType {
  NamedType() = default;
  NamedType(std::string registered)  // NOLINT(google-explicit-constructor): a name says it all
      : name(std::move(registered)), known(crdt::find_type(name)) {}
  NamedType(const char* registered) : NamedType(std::string(registered)) {}
  NamedType(const crdt::Type& type) : name(type.name), known(&type) {}

  std::string name;
  const crdt::Type* known = nullptr;  ///< nullptr: not by this version
  friend bool operator==(const NamedType& a, const NamedType& b) { return a.name == b.name; }
};

struct Delta {
  std::string key;
  NamedType type;
  Seq last_seq;
  std::string body;
};

/// Outbox rows of one transaction that have one tag, in an unbroken run of ids, those under which
/// they were written. Ids, transaction numbers and times come again in a database that was put back
/// to an earlier state, tags do not; and where writers share a transaction's number, as on SQLite,
/// the backup may have been made between two of its rows. So every row is known by its own tag.
struct ConsumedRows {
  std::int64_t transaction = 0;
  std::int64_t first_id = 0;
  std::int64_t last_id = 0;
  std::uint64_t tag = 0;  ///< of each of them
};

/// An actor that an origin had before, and the last of its seqs that counts.
struct FormerActor {
  ActorId actor;
  Seq final_seq;
  bool operator==(const FormerActor&) const = default;
};
/// Whether the actor is among them.
[[nodiscard]] bool names(std::span<const FormerActor> former, ActorId actor);
/// The newest of actors, oldest first, that published any change; nullopt: none did.
[[nodiscard]] std::optional<FormerActor> last_published(std::span<const FormerActor> former);

struct Batch {
  ActorId actor;
  OriginName origin;
  Seq first_seq;
  Seq last_seq;
  Hlc hlc;
  /// Whom this actor followed. Told by every batch and heartbeat, so that whichever comes first is
  /// the record of the minting: a replica that lacks changes up to the final seq is at a gap, and
  /// what comes of the former actor behind it is void.
  std::optional<FormerActor> predecessor = std::nullopt;
  /// Those before the predecessor, newest first: what is said of the predecessor holds for each of
  /// them. Down to the last one that published any change, and some before it; of more than
  /// kMostFormer some in between are left out.
  std::vector<FormerActor> earlier = {};
  HistoryDigest former_history = {};  ///< of last_published(), at its final seq; or not known
  HistoryDigest before = {};          ///< of what precedes the batch
  std::vector<ConsumedRows> rows = {};
  std::vector<VersionVector> contexts = {};
  std::vector<Delta> deltas = {};
  /// Up to the batch's end. Not encoded: decoding takes it from the bytes.
  HistoryDigest history = {};

  /// The predecessor and those before it.
  [[nodiscard]] std::vector<FormerActor> former() const;
  /// The newest of these that published any change; nullopt: none is named.
  [[nodiscard]] std::optional<FormerActor> last_published() const;

  /// Whether it goes on from other changes of the actor `of` than those that were applied, up to
  /// `seq`: of its own actor right before it, or of the one that it says was followed there.
  [[nodiscard]] bool contradicts(ActorId of, Seq seq, HistoryDigest applied) const;

  /// An empty batch that carries only head and time.
  [[nodiscard]] bool heartbeat() const { return last_seq < first_seq; }
};

/// What a delta of the batch may claim.
[[nodiscard]] inline crdt::DeltaBounds bounds_of(const Batch& batch) {
  return {batch.first_seq, batch.last_seq, batch.hlc, batch.contexts.size()};
}

inline constexpr std::size_t kMostFormer = 64;                         ///< that a batch names
inline constexpr std::uint64_t kMostChanges = std::uint64_t{1} << 20;  ///< that a batch holds
inline constexpr std::uint32_t kBatchFormat = 2;
/// Larger messages are refused before parsing, and none is made: sealing cuts by encoded size.
/// RabbitMQ's own default limits are 16 MiB (4.0 and later) and 128 MiB.
inline constexpr std::size_t kMaxBatchBytes = std::size_t{8} << 20;

/// Deterministic: equal batches have equal bytes.
[[nodiscard]] std::string encode(const Batch& batch);
/// Of all that an actor published, up to its batch of these bytes.
[[nodiscard]] HistoryDigest history_of(std::string_view batch_bytes);
/// kPoison, saying what is wrong, for bytes that are no batch of a format up to kBatchFormat, and
/// for one that claims other seqs than what it holds accounts for: obeyed, it would make duplicates
/// of changes that are still to come.
[[nodiscard]] Result<Batch> decode_batch(std::string_view bytes);
/// The same for a piece of a batch that was set aside: some of its deltas, without its rows.
[[nodiscard]] Result<Batch> decode_piece(std::string_view bytes);

}  // namespace tributary

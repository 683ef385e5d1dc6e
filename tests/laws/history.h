/// What the actors of one case wrote, and the batches their relays sealed from it. Changes are made
/// from a type's table of operations, so that a new type needs nothing here.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tributary/crdt/type.h>

#include "tests/laws/dice.h"

namespace tributary::laws {

/// Two keys share an actor's seqs, so that a key's clock lags behind the watermark.
inline constexpr std::size_t kKeys = 2;

/// One change with the identity and time that sealing gives it.
struct Event {
  ActorId actor;
  Seq seq;
  Hlc hlc;
  std::size_t key = 0;
  const crdt::Operation* operation = nullptr;
  std::string field;
  std::string value;
  std::int64_t amount = 0;
  crdt::Totals totals;                   ///< of this actor for (key, field), this change included
  std::optional<VersionVector> context;  ///< as sealing gets it: without the own actor
  Seq own;                               ///< what it had seen of its own actor's changes

  /// Whether the writer had seen it.
  [[nodiscard]] bool saw(const Event& other) const;
};

std::ostream& operator<<(std::ostream& out, const Event& event);

struct KeyDelta {
  std::size_t key = 0;
  Seq last_seq;
  std::string body;
};

struct SealedDeltas {
  ActorId actor;
  Seq first;
  Seq last;
  Hlc hlc;  ///< of the last change
  std::vector<VersionVector> contexts;
  std::vector<KeyDelta> deltas;
};

/// What touched() is told of a batch.
[[nodiscard]] crdt::DeltaBounds bounds_of(const SealedDeltas& batch);

/// The deltas of `events` (one actor's, contiguous), as a relay seals them: joined by key.
[[nodiscard]] SealedDeltas seal_deltas(const crdt::Type& type, std::span<const Event> events);

/// What a writer knows when it writes.
struct Surroundings {
  Hlc written;            ///< its clock
  Hlc latest;             ///< what sealing permits
  VersionVector context;  ///< its region's watermark, or another
  bool without_context = false;
  bool exact = false;  ///< the writer passes what it has read, which may lack changes of its own
};

/// One actor: its changes and its batches.
class Author {
 public:
  Author(ActorId actor, std::size_t home, std::int64_t skew_micros)
      : actor_(actor), home_(home), skew_micros_(skew_micros) {}

  const Event& write(const crdt::Type& type, Surroundings surroundings, Dice& dice);
  /// Seals the next `count` changes, or all there are if fewer; nothing when there are none.
  void seal(const crdt::Type& type, std::size_t count);

  [[nodiscard]] ActorId actor() const { return actor_; }
  [[nodiscard]] std::size_t home() const { return home_; }
  [[nodiscard]] std::int64_t skew_micros() const { return skew_micros_; }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] const std::vector<SealedDeltas>& batches() const { return batches_; }
  [[nodiscard]] std::size_t unsealed() const { return events_.size() - sealed_; }
  /// The batch that follows `watermark`; nullptr when there is none.
  [[nodiscard]] const SealedDeltas* after(Seq watermark) const;

 private:
  ActorId actor_;
  std::size_t home_;
  std::int64_t skew_micros_;
  std::vector<Event> events_;
  std::vector<SealedDeltas> batches_;
  std::size_t sealed_ = 0;
  std::map<std::pair<std::size_t, std::string>, crdt::Totals> totals_;
};

}  // namespace tributary::laws

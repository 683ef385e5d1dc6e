/// What a CRDT type is to the rest of the system: a table of pure functions. A new type is one file
/// pair in crdt/types/ and one line in crdt/types/registry.cc.
///
/// Following delta-state CRDTs (Almeida, Shoker, Baquero, "Delta State Replicated Data Types",
/// 2018), with per-actor FIFO delivery: the relay turns an actor's changes to a key into a delta,
/// the consumer joins deltas into state. All functions are free of I/O, clocks and randomness and
/// may be called from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>
#include <tributary/crdt/context_table.h>
#include <tributary/crdt/hlc.h>
#include <tributary/crdt/state.h>
#include <tributary/crdt/version_vector.h>
#include <tributary/crdt/view.h>

namespace tributary::crdt {

/// What an operation takes beside the key.
enum class Operand { kNone, kValue, kAmount, kField, kFieldValue, kFieldAmount };

[[nodiscard]] constexpr bool takes_field(Operand operand) { return operand >= Operand::kField; }
[[nodiscard]] constexpr bool takes_value(Operand operand) {
  return operand == Operand::kValue || operand == Operand::kFieldValue;
}
[[nodiscard]] constexpr bool takes_amount(Operand operand) {
  return operand == Operand::kAmount || operand == Operand::kFieldAmount;
}

struct Operation {
  std::string_view name;
  Operand operand = Operand::kNone;
  bool observes = false;     ///< acts on what the writer had seen: the change carries a context
  bool accumulates = false;  ///< the amount is carried as running totals of (key, field)
  bool repeatable = false;   ///< a list of operands makes sense in one JSON line
};

/// Running totals of one actor for one (key, field), after a change. Each is at most INT64_MAX.
struct Totals {
  std::int64_t increments = 0;
  std::int64_t decrements = 0;
  bool operator==(const Totals&) const = default;
};

/// Running totals that a delta carries, of one field (empty for types without fields).
struct FieldTotals {
  std::string field;
  Totals totals;
};

/// A change that sealing gave its identity and time. Views live as long as the seal.
struct SealedChange {
  Seq seq;
  Hlc hlc;
  const Operation* operation = nullptr;
  std::string_view field;
  std::string_view value;
  std::int64_t amount = 0;
  Totals totals;                           ///< for operations that accumulate
  const VersionVector* context = nullptr;  ///< for operations that observe; without the own actor's
                                           ///< entry, which is `own`
  Seq own;                                 ///< what the writer had seen of its own actor's changes
};

/// What a change in a delta did, told from the delta alone: its changes to one element, say, are
/// told as one.
struct UnsealedChange {
  std::string_view operation;
  std::string value = {};
  std::int64_t amount = 0;
  /// Of operations that observe: one of the delta's contexts, without the own actor's entry.
  const VersionVector* context = nullptr;
  Seq own = {};  ///< of operations that observe: what was seen of the own actor
};

/// What a delta may claim: no more than its batch does.
struct DeltaBounds {
  Seq first_seq;  ///< of the batch
  Seq last_seq;   ///< of the batch
  Hlc hlc;        ///< of the batch's last change, the largest in it
  std::size_t context_count = 0;
};

/// Where a delta comes from, and where it is joined.
struct DeltaSource {
  ActorId actor;
  Seq last_seq;                              ///< of the last change in the delta
  std::span<const VersionVector> contexts;   ///< the batch's table that delta indices point into
  const VersionVector* watermark = nullptr;  ///< of the replica, before this batch
};

/// What a join tells the store.
struct JoinResult {
  bool deferring = false;  ///< the state holds deferred removes that prune() will drop
};

// What a type does that accumulates nothing, or defers nothing.
[[nodiscard]] std::vector<FieldTotals> no_totals(std::string_view delta);
[[nodiscard]] FieldSelection no_deferred(const State& state);
[[nodiscard]] VersionVector none_awaited(const State& state);
JoinResult nothing_to_prune(State& state, const VersionVector& watermark);

/// A registered type. Every function pointer is set.
struct Type {
  std::string_view name;
  ViewKind view = ViewKind::kString;
  std::span<const Operation> operations;
  std::string_view head;  ///< the state field that every delta touches
  bool defers = false;    ///< its states may hold deferred removes

  /// Joins all changes of one actor to one key in one batch (ascending seq, never empty) into a
  /// delta. Contexts go into `contexts`.
  std::string (*seal)(ActorId actor, std::span<const SealedChange> changes, ContextTable& contexts);

  /// Changes that do what the delta did when they are written in this order, for one that can no
  /// longer be published as it was sealed. The delta has passed touched(); `contexts`: its batch's.
  std::vector<UnsealedChange> (*unseal)(std::string_view delta,
                                        std::span<const VersionVector> contexts);

  /// The running totals in a delta made by seal(); none for types that do not accumulate.
  std::vector<FieldTotals> (*totals)(std::string_view delta) = no_totals;

  /// The state fields joining `delta` reads or writes. kPoison when the bytes cannot be decoded, or
  /// claim what lies beyond the bounds (a seq or time that another batch may have): the only place
  /// that decides so, join() may rely on it.
  Result<FieldSelection> (*touched)(std::string_view delta, const DeltaBounds& bounds);

  /// Joins a delta that passed touched() into `state`, which holds at least the touched fields.
  /// A delta whose last_seq the state has already seen changes nothing.
  JoinResult (*join)(std::string_view delta, const DeltaSource& source, State& state,
                     ViewEdits& edits);

  /// Whether every field that `state` holds is one this type wrote, and decodes. Whoever loads a
  /// state asks before joining or rendering, which rely on it.
  bool (*intact)(const State& state);

  /// Joins another replica's complete state into this complete state (state merge).
  JoinResult (*merge)(State& mine, const VersionVector& my_watermark, const State& theirs,
                      const VersionVector& their_watermark);

  /// The fields prune() needs, told from a state that holds at least the field `head`.
  FieldSelection (*deferred)(const State& state) = no_deferred;
  /// The changes that the deferred removes in such a state wait for.
  VersionVector (*awaited)(const State& state) = none_awaited;
  /// Drops the deferred removes that `watermark` has caught up with.
  JoinResult (*prune)(State& state, const VersionVector& watermark) = nothing_to_prune;

  /// The whole view of a complete state, in canonical (sorted) order.
  ViewEdits (*render)(const State& state);
};

/// All registered types, in name order.
[[nodiscard]] std::span<const Type* const> types();
/// nullptr when there is none.
[[nodiscard]] const Type* find_type(std::string_view name);
/// nullptr when there is none.
[[nodiscard]] const Operation* find_operation(const Type& type, std::string_view name);

}  // namespace tributary::crdt

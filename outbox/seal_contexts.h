/// What the writers of one seal had seen: contexts as they are sealed. Not for: the table of a
/// batch (crdt/context_table.h), which interns them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include <tributary/base/result.h>
#include <tributary/crdt/version_vector.h>
#include <tributary/outbox/rows.h>
#include <tributary/outbox/sealing.h>

namespace tributary {

/// A context with the own actor's entry apart.
struct SealedContext {
  VersionVector others;
  std::optional<Seq> own;  ///< absent: everything before the change itself
  std::size_t bytes = 0;   ///< encoded, about
  bool capped = false;     ///< it claimed more than is known
};

/// A context, or why the row that carries it can never be applied.
using JudgedContext = tl::expected<SealedContext, std::string>;

/// No context passes that claims more than is known of an actor: it would remove what nobody has
/// written yet. A token that the writer gave may have been read in a region that is ahead of this
/// one, so it counts up to what is known. Any other context was told by this database, or by the
/// one it was restored from: a larger one is damage, or a lie.
///
/// Decodes each context once. Answers live as long as it. Not thread-safe.
class SealContexts {
 public:
  SealContexts(ActorId own, const SealRules& rules);

  [[nodiscard]] const JudgedContext& of(const OutboxRow& row);

 private:
  [[nodiscard]] JudgedContext make(const OutboxRow& row, const std::map<ActorId, Seq>* limit);
  /// Whether it claimed more.
  [[nodiscard]] bool cap(VersionVector& context) const;
  [[nodiscard]] std::string beyond(const VersionVector& context) const;

  ActorId own_;
  const SealRules& rules_;
  VersionVector known_seqs_;  ///< the most that a context may claim
  // Stores keep a context once, however many rows name it.
  const JudgedContext* last_ = nullptr;
  std::string_view last_bytes_;
  bool last_exact_ = false;
  /// (lowered key or empty, exact, bytes) -> context.
  std::map<std::tuple<std::string_view, bool, std::string_view>, JudgedContext> known_;
};

}  // namespace tributary

/// What the writers of one seal had seen: contexts as they are sealed. Not for: the table of a
/// batch (tributary/crdt/context_table.h), which interns them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <tributary/base/result.h>
#include <tributary/crdt/version_vector.h>

#include "outbox/batch/rows.h"
#include "outbox/batch/sealing.h"
#include "outbox/batch/writer_context.h"

namespace tributary {

/// A context with the own actor's entry apart.
struct SeenContext {
  VersionVector others;
  std::optional<Seq> own;  ///< absent: everything before the change itself
  std::size_t bytes = 0;   ///< encoded, about
  bool capped = false;     ///< it claimed more than is known
};

/// A context, or why the row that carries it can never be applied.
using JudgedContext = tl::expected<SeenContext, std::string>;

/// No context passes that claims more than is known of an actor: it would remove what nobody has
/// written yet. A token that the writer gave may have been read in a region that is ahead of this
/// one, so it counts up to what is known. Any other context was told by this database, or by the
/// one it was restored from: a larger one is damage, or a lie. It says itself what had not been
/// seen of the row's key; what the database had written before, under whatever actor, counts as
/// seen.
///
/// Decodes each context once. Answers live as long as it. Not thread-safe.
class ContextJudge {
 public:
  ContextJudge(ActorId own, const SealRules& rules);

  [[nodiscard]] const JudgedContext& of(const OutboxRow& row);

 private:
  /// A context as it came, and what is made of it.
  struct Known {
    std::optional<WriterContext> told;                 ///< nullopt: it does not decode
    std::map<std::string_view, JudgedContext> judged;  ///< by lowered key; of all others by ""
  };

  [[nodiscard]] Known& known_as(const OutboxRow& row);
  [[nodiscard]] JudgedContext make(const OutboxRow& row, const WriterContext& told) const;
  /// Whether it claimed more.
  [[nodiscard]] bool cap(VersionVector& context) const;
  [[nodiscard]] std::string beyond(const VersionVector& context) const;

  ActorId own_;
  const SealRules& rules_;
  VersionVector known_seqs_;                                  ///< the most that a context may claim
  std::map<std::pair<bool, std::string_view>, Known> known_;  ///< (exact, bytes)
  Known* last_ = nullptr;  ///< of the row before: stores keep a context once for all rows
  std::pair<bool, std::string_view> last_name_;
};

}  // namespace tributary

/// What the writers of one seal had seen: contexts as they are sealed. Not for: the table of a
/// batch (crdt/context_table.h), which interns them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include <tributary/crdt/version_vector.h>
#include <tributary/outbox/rows.h>
#include <tributary/outbox/sealing.h>

namespace tributary {

/// A context with the own actor's entry apart.
struct SealedContext {
  VersionVector others;
  std::optional<Seq> own;  ///< absent: everything before the change itself
  std::size_t bytes = 0;   ///< encoded, about
};

/// Decodes each context once. Answers live as long as it. Not thread-safe.
class SealContexts {
 public:
  SealContexts(ActorId own, const SealRules& rules) : own_(own), rules_(rules) {}

  /// nullptr when the bytes do not decode.
  [[nodiscard]] const SealedContext* of(const OutboxRow& row);
  /// Contexts that claimed more than the region has applied.
  [[nodiscard]] std::size_t capped() const { return capped_; }

 private:
  [[nodiscard]] std::optional<SealedContext> make(const OutboxRow& row,
                                                  const std::map<ActorId, Seq>* limit);
  void cap(VersionVector& context);

  ActorId own_;
  const SealRules& rules_;
  std::size_t capped_ = 0;
  /// (lowered key or empty, exact, bytes) -> context.
  std::map<std::tuple<std::string_view, bool, std::string_view>, std::optional<SealedContext>>
      known_;
};

}  // namespace tributary
